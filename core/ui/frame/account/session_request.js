// Opens, renews or ends the session: only a script's request can carry the header that the server asks for.
//
// A request is made once, however often the page is drawn while it is on its way.

import { forgetDrafts } from "../../components/draft_in_browser.js";
/** @import { Mount } from "../../components/dom.js" */
/** @import { RequestData } from "../../components/shapes.js" */

const made = new Set();
const PATIENCE_MS = 20_000; // nobody is left at a page that waits for ever

/** @param {Mount<RequestData>} mount */
export default function ({ data, setTriggerValue }) {
  if (made.has(data.id)) return;
  made.add(data.id);
  ask(data).then(({ status, said }) => {
    const isGone = status === 204 || status === 503; // with a 503 the cookie is gone, and only S3 does not know
    if (data.method === "DELETE" && isGone) forgetDrafts();
    if (data.is_silent) return;
    if (status === 204) location.reload();
    else setTriggerValue("refused", { id: data.id, status, said });
  });
}

async function ask(/** @type {RequestData} */ { method, url, header, body }) {
  try {
    const answer = await fetch(url, {
      method,
      headers: { [header]: "1" },
      body: method === "POST" ? body : undefined,
      credentials: "same-origin",
      redirect: "error",
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const isOurs = (answer.headers.get("content-type") ?? "").startsWith("text/plain");
    return { status: answer.status, said: isOurs ? (await answer.text()).slice(0, 400) : "" };
  } catch {
    return { status: 0, said: "" };
  }
}
