// Tells who hears the page what has changed on it; nothing of it is seen.

import { setText } from "./dom.js";
/** @import { Mount } from "./dom.js" */
/** @import { AnnouncerData } from "./shapes.js" */

/** @param {Mount<AnnouncerData>} mount */
export default function ({ data, parentElement }) {
  const region = parentElement.querySelector("[role=status]");
  if (region) setText(region, data.words);
}
