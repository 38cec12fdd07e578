// Asks passkeys. A form with data-passkey="PREFIX" is sent in two steps: its
// fields as JSON to PREFIX/begin, which answers with options for the
// authenticator; then the fields again with the authenticator's answer to
// PREFIX/finish, which answers where to go. Everything is decided by the node:
// this script carries bytes and shows what went wrong.

async function post(url, value) {
  const r = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Node-Request": "1" },
    body: JSON.stringify(value),
    redirect: "error",
  });
  const answer = await r.json().catch(() => ({}));
  if (!r.ok) throw Object.assign(new Error(answer.what_to_do ? `${answer.what_to_do} [${answer.code}]` : answer.error ?? `HTTP ${r.status}`), { code: answer.code });
  return answer;
}

// ask lets the authenticator answer; whether a passkey is made or used, the
// options say.
async function ask({ publicKey }) {
  const make = "rp" in publicKey;
  const options = make ? PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) : PublicKeyCredential.parseRequestOptionsFromJSON(publicKey);
  const credential = await (make ? navigator.credentials.create({ publicKey: options }) : navigator.credentials.get({ publicKey: options }));
  return credential.toJSON();
}

// words are said by the page, in its language.
const word = (form, name, fallback) => form.dataset[name] ?? document.body.dataset[name] ?? fallback;

function say(form, text) {
  const el = form.querySelector("[data-problem]");
  if (!el) return;
  el.textContent = text;
  el.hidden = !text;
}

async function submit(form) {
  const prefix = form.dataset.passkey;
  const fields = Object.fromEntries(new FormData(form));
  const begun = await post(prefix + "/begin", fields);
  let answer = null;
  if (!begun.demo) {
    if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) throw new Error(word(form, "noPasskeys", "This browser cannot use passkeys here."));
    try {
      answer = await ask(begun.options);
    } catch (e) {
      // One error stands for "refused", "timed out" and "not there": browsers do not tell a page which.
      throw new Error(word(form, "noAnswer", "No passkey answered.") + (e.name === "InvalidStateError" ? " " + word(form, "known", "This authenticator is enrolled already.") : ""));
    }
  }
  const { location: to } = await post(prefix + "/finish", { ...fields, ceremony: begun.ceremony, answer });
  location.assign(to);
}

document.addEventListener("submit", async (e) => {
  const form = e.target;
  if (!form.dataset?.passkey) return;
  e.preventDefault();
  if (form.dataset.busy) return;
  form.dataset.busy = "1";
  for (const b of form.querySelectorAll("button")) b.disabled = true;
  say(form, "");
  try {
    await submit(form);
  } catch (err) {
    if (err.code === "sign-in-again" || err.code === "session-ended" || err.code === "not-signed-in") {
      location.assign("/sign-in" + (err.code === "sign-in-again" ? "?next=" + encodeURIComponent(location.pathname) : ""));
      return;
    }
    say(form, err.message);
    for (const b of form.querySelectorAll("button")) b.disabled = false;
    form.querySelector("button")?.focus();
  } finally {
    delete form.dataset.busy;
  }
});
