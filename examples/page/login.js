const EVERY_MS = 250;
const here = location.pathname;
const shown = (name) => document.querySelector(`#${name}`);

let logoutAddress;
let status;
let admin;

/** Asks the gateway; the browser adds the cookie, and says that this page has its origin. */
async function ask(path, options) {
  const answer = await fetch(path, { ...options, cache: 'no-store' });
  return { status: answer.status, body: await answer.json() };
}

function show(name, answer) {
  shown(`${name}-outcome`).textContent = String(answer.status);
  shown(name).textContent = JSON.stringify(answer.body, null, 2);
}

/** Says how it is, and since when that is so. */
function judge(now) {
  if (now === status) return;
  status = now;
  const verdict = shown('verdict');
  const isIn = now === 200 || now === 403;
  verdict.dataset.kind = isIn ? 'good' : 'bad';
  verdict.textContent = `${isIn ? 'Logged in' : 'Not logged in'}: ${now} since ${new Date().toLocaleTimeString()}`;
  shown('login').hidden = isIn;
  shown('logout').hidden = !isIn;
  void who();
}

async function who() {
  const answer = await ask('/session');
  logoutAddress = answer.body.logout;
  shown('revoke').textContent =
    answer.status === 200
      ? `curl -H 'content-type: application/json' -d '{"jti":"session:${answer.body.session}"}' ${admin}/revocations`
      : 'Log in first.';
  show('who', answer);
}

async function call() {
  try {
    const answer = await ask('/api/v2/users/2');
    show('call', answer);
    judge(answer.status);
  } finally {
    setTimeout(call, EVERY_MS);
  }
}

shown('login').addEventListener('click', () => {
  location.assign(`/login?return=${encodeURIComponent(here)}`);
});
shown('logout').addEventListener('click', () => {
  if (logoutAddress !== undefined) location.assign(logoutAddress);
});
admin = (await ask('/demo/admin')).body.admin;
await call();
