// PM2's file: `pm2 start ecosystem.config.js`, from any working directory, user or host. No path here is absolute.
//
// PORT      where the first server listens (8501)
// REPLICAS  how many servers, each a process of its own on the next port (1)
// All else is a setting of the dashboard: in the environment of `pm2 start`, or in .streamlit/secrets.toml.

const path = require("path");

const whole = (name, otherwise) => {
  const number = Number(process.env[name] || otherwise);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${name} must be a whole number from 1: it is "${process.env[name]}".`);
  return number;
};
const port = whole("PORT", 8501);
const deadlineS = Number(process.env.GENERATION_DEADLINE_S || 270) || 270;

// PM2 stops with SIGINT, which Python makes an exception of, wherever it is: one that comes while a thread is being
// started leaves a thread behind that nothing ends, and so a process. Until the server listens, it ends at once instead.
const start = "import signal; signal.signal(signal.SIGINT, signal.SIG_DFL); from streamlit.web.cli import main_run; main_run()";

const server = (at) => ({
  name: `studio-${at}`,
  cwd: __dirname,
  script: "app.py", // in cwd: PM2 hands a script whose path has a space to a shell
  interpreter: path.join(__dirname, ".venv", "bin", "python"),
  interpreter_args: ["-c", start],
  args: ["--server.port", String(at)],
  // A session lives in one process, so nothing may be spread over several: the dashboard refuses to start so.
  exec_mode: "fork",
  instances: 1,
  // What runs is recorded as interrupted within seconds; never kill it before even the slowest picture could end.
  kill_timeout: Math.ceil(deadlineS + 30) * 1000,
  // 2: it must not start like this, and has said why in one sentence.
  stop_exit_codes: [2],
  // What dies within a minute ten times over needs a person. (A delay would show what was stopped as waiting.)
  min_uptime: 60000,
  max_restarts: 10,
  max_memory_restart: process.env.MAX_MEMORY || "4G",
  watch: false,
  time: false, // every line of the log has its own time
  merge_logs: true,
});

const apps = Array.from({ length: whole("REPLICAS", 1) }, (_, nth) => server(port + nth));
for (const { exec_mode, instances } of apps) {
  if (exec_mode !== "fork" || instances !== 1) {
    throw new Error("A session lives in one process: keep exec_mode fork and instances 1, and set REPLICAS for more servers.");
  }
}

module.exports = { apps };
