// What the whole page needs, once a tab.

import { oneEntryAnAct } from "./browser_history.js";
import { outliveTranslation } from "./translation.js";

const tab = /** @type {Window & { studioIsPrepared?: boolean }} */ (window);

export default function () {
  if (tab.studioIsPrepared) return;
  tab.studioIsPrepared = true;
  oneEntryAnAct();
  outliveTranslation();
}
