// Time that goes by: how long something has been going on, by the server's clock, without asking the server again.

const clock = { drawnAt_ms: 0, ahead_ms: -Infinity }; // how far the server's clock is ahead of this browser's

/** What is drawn now was drawn by the server at this time of its own, and what came the fastest tells it best. */
export function setServerClock(/** @type {number} */ drawn_at_ms) {
  if (drawn_at_ms <= clock.drawnAt_ms) return; // drawn again from memory, later
  clock.drawnAt_ms = drawn_at_ms;
  clock.ahead_ms = Math.max(clock.ahead_ms, drawn_at_ms - Date.now());
}

/** For how long something has been going on that began at this time of the server's: `24 s`, `2 min 04 s`. */
export function elapsedSince(/** @type {number} */ since_ms) {
  const seconds = Math.max(0, Math.floor((Date.now() + clock.ahead_ms - since_ms) / 1000));
  if (seconds < 90) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
}

/** How many whole seconds are left until this time of the server's, never less than there are; 0 once it has come. */
export function secondsUntil(/** @type {number} */ at_ms) {
  return Math.max(0, Math.ceil((at_ms - Date.now() - clock.ahead_ms) / 1000));
}

/** Calls often enough that no second stands still while there is one to show, until told to stop. */
export class Ticker {
  timer = 0;

  constructor(/** @type {() => void} */ tick) {
    this.tick = tick;
  }

  run(/** @type {boolean} */ isNeeded) {
    if (isNeeded === Boolean(this.timer)) return;
    clearInterval(this.timer);
    this.timer = isNeeded ? setInterval(this.tick, 250) : 0;
  }
}
