// Chromium, headless, over its own protocol on two pipes: no package is needed beside Node.js.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export async function chromium(program, more) {
  const profile = mkdtempSync(join(tmpdir(), "gatewright-browser-"));
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--window-size=1000,860", "--remote-debugging-pipe", `--user-data-dir=${profile}`, ...more];
  const process = spawn(program, flags, { stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"] });
  const [, , errors, to, from] = process.stdio;
  let said = "";
  errors.on("data", (data) => (said = (said + data).slice(-4000)));
  const waiting = new Map();
  let number = 0;
  let rest = "";
  from.on("data", (data) => {
    rest += data;
    for (let end; (end = rest.indexOf("\0")) >= 0; rest = rest.slice(end + 1)) {
      const message = JSON.parse(rest.slice(0, end));
      const call = waiting.get(message.id);
      if (!call) continue;
      waiting.delete(message.id);
      if (message.error) call.fail(new Error(`${call.method}: ${message.error.message}`));
      else call.done(message.result);
    }
  });
  const ended = (why) => {
    for (const call of waiting.values()) call.fail(new Error(`Chromium ended (${why}): ${said}`));
    waiting.clear();
  };
  process.on("error", (error) => ended(error.message));
  process.on("exit", (code) => ended(code));
  const send = (method, params = {}, sessionId) =>
    new Promise((done, fail) => {
      number += 1;
      waiting.set(number, { method, done, fail });
      to.write(JSON.stringify({ id: number, method, params, sessionId }) + "\0");
    });
  const { targetId } = await send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
  const page = (method, params) => send(method, params, sessionId);
  const evaluate = async (expression) => {
    const { result, exceptionDetails } = await page("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    return result.value;
  };
  const until = async (expression) => {
    for (let tries = 0; tries < 600; tries += 1) {
      if (await evaluate(expression)) return;
      await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error(`never so: ${expression}`);
  };
  // Its helpers write to the profile until they have ended too.
  const stop = async () => {
    const gone = new Promise((done) => (process.exitCode === null ? process.on("exit", done) : done()));
    await send("Browser.close").catch(() => process.kill("SIGKILL"));
    await gone;
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
  return { page, evaluate, until, stop };
}
