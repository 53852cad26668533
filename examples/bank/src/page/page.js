// The ceremonies of a passkey as a page does them: ask for options, ask the browser, send what it gives.
"use strict";

const element = (id) => document.getElementById(id);

// Anything the API says is shown as text.
function say(what, status, detail) {
  const entry = document.createElement("li");
  entry.dataset.what = what;
  entry.dataset.status = status;
  entry.className = status >= 200 && status < 300 ? "good" : "bad";
  const mark = document.createElement("b");
  mark.textContent = status;
  entry.append(mark, ` ${what}: ${detail}`);
  element("log").append(entry);
}

async function ask(method, path, body) {
  const headers = { authorization: `Bearer ${element("token").value.trim()}` };
  if (body !== undefined) headers["content-type"] = "application/json";
  const answer = await fetch(`/v2${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await answer.text();
  const json = text === "" ? {} : JSON.parse(text);
  if (!answer.ok) throw { status: answer.status, detail: json.detail ?? json.title };
  return { status: answer.status, json };
}

async function register() {
  const { json } = await ask("POST", "/webauthn/registration/options");
  const made = await navigator.credentials.create({
    publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(json),
  });
  const kept = await ask("POST", "/webauthn/registration", { ...made.toJSON(), name: navigator.platform });
  return [kept.status, "the passkey is kept"];
}

async function show() {
  const { json } = await ask("POST", "/webauthn/assertion/options");
  const shown = await navigator.credentials.get({
    publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(json),
  });
  const taken = await ask("POST", "/webauthn/assertion", shown.toJSON());
  return [taken.status, "for five minutes this token opens what asks for a passkey"];
}

async function list() {
  const { status, json } = await ask("GET", "/webauthn/passkeys");
  return [status, json.passkeys.map((passkey) => passkey.name || passkey.id).join(", ") || "none"];
}

async function set() {
  const limit = Number(element("limit").value);
  const { status, json } = await ask("PUT", "/accounts/acc_alice1/limit", { limit });
  return [status, `the limit is ${json.limit}`];
}

for (const [id, what, work] of [
  ["register", "register a passkey", register],
  ["show", "show a passkey", show],
  ["list", "list passkeys", list],
  ["set", "set the limit", set],
]) {
  element(id).addEventListener("click", async () => {
    element(id).disabled = true;
    try {
      say(what, ...(await work()));
    } catch (error) {
      // Of the API, or of the browser: whoever closes its dialogue gets `NotAllowedError`.
      say(what, error.status ?? error.name, error.detail ?? error.message);
    } finally {
      element(id).disabled = false;
    }
  });
}
