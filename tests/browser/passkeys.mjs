// The bank's page in Chromium, with an authenticator that Chromium makes up: node passkeys.mjs CHROMIUM URL TOKEN SPKI [PNG].
// Prints what the bank answered, step by step, as one JSON list; the Rust test says what it must be.
import { writeFileSync } from "node:fs";
import { chromium } from "./chromium.mjs";

const [program, url, token, key, picture] = process.argv.slice(2);
const browser = await chromium(program, [`--ignore-certificate-errors-spki-list=${key}`]);
try {
  const { page, evaluate, until } = browser;
  await page("Page.enable");
  await page("WebAuthn.enable");
  const { authenticatorId } = await page("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true,
      hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true,
    },
  });
  await page("Page.navigate", { url: `${url}/page` });
  await until("document.readyState === 'complete' && !!document.getElementById('token')");
  await evaluate(`document.getElementById("token").value = ${JSON.stringify(token)}`);
  const steps = [];
  const press = async (id, note) => {
    const before = await evaluate("document.querySelectorAll('#log li').length");
    await evaluate(`document.getElementById(${JSON.stringify(id)}).click()`);
    await until(`document.querySelectorAll('#log li').length > ${before}`);
    const [status, text] = await evaluate("(({ dataset, textContent }) => [dataset.status, textContent])(document.querySelector('#log li:last-child'))");
    steps.push([note ?? id, status, text]);
  };
  await press("set", "set without a passkey");
  await press("show", "show without one");
  await press("register");
  await press("set", "set with one that was not shown");
  await page("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
  await press("show", "show without verification");
  await page("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
  await press("register", "register a second one without showing the first");
  await press("show");
  await press("set");
  await press("list");
  if (picture) {
    const { data } = await page("Page.captureScreenshot", { format: "png", captureBeyondViewport: true });
    writeFileSync(picture, Buffer.from(data, "base64"));
  }
  // A copy of the passkey whose counter stands where it was.
  const { credentials } = await page("WebAuthn.getCredentials", { authenticatorId });
  const copy = { ...credentials[0], signCount: 0 };
  await page("WebAuthn.removeCredential", { authenticatorId, credentialId: copy.credentialId });
  await page("WebAuthn.addCredential", { authenticatorId, credential: copy });
  await press("show", "show a copy");
  console.log(JSON.stringify(steps));
} finally {
  await browser.stop();
}
