// How long a ballot was before its person's eyes: a page that nobody sees is not looked at.

export class Stopwatch {
  since = 0;
  gathered_ms = 0;

  constructor() {
    this.onVisibility = () => (document.hidden ? this.stop() : this.go());
    document.addEventListener("visibilitychange", this.onVisibility);
  }

  begin() {
    this.gathered_ms = 0;
    this.since = document.hidden ? 0 : performance.now();
  }

  stop() {
    if (this.since) this.gathered_ms += performance.now() - this.since;
    this.since = 0;
  }

  go() {
    if (!this.since) this.since = performance.now();
  }

  /** To a hundredth. */
  get seconds() {
    const running = this.since ? performance.now() - this.since : 0;
    return Math.round((this.gathered_ms + running) / 10) / 100;
  }

  close() {
    document.removeEventListener("visibilitychange", this.onVisibility);
  }
}
