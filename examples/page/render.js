const DAY = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});
const STAND_INS = {
  fallback: 'a fallback stands in',
  stale: 'a stored answer stands in',
  null: 'it is left out',
};

/** Fills the panel of a face with what it said. */
export function renderFace(panel, answer) {
  const { status, ms, page, degraded, problems, raw } = answer;
  const isWhole = problems.length === 0 && degraded.length === 0;
  const outcome = panel.querySelector('.outcome');
  outcome.textContent = `${status} · ${ms} ms`;
  outcome.dataset.kind = problems.length > 0 ? 'bad' : isWhole ? 'good' : 'degraded';
  panel.querySelector('pre').textContent = JSON.stringify(raw, null, 2);
  panel
    .querySelector('.content')
    .replaceChildren(
      ...degraded.map(degradedNote),
      ...problems.map(problemNote),
      ...(page === null ? [] : sectionsOf(page, degraded)),
    );
  panel.setAttribute('aria-busy', 'false');
}

/** Fills a panel whose face could not be asked at all. */
export function renderFailure(panel, error) {
  panel.querySelector('.outcome').textContent = '';
  panel.querySelector('.content').replaceChildren(problemNote({ title: String(error), code: 'no answer' }));
  panel.setAttribute('aria-busy', 'false');
}

/** One line of what arrived just now. */
export function liveLine({ text, createdAt, unread }) {
  const count = element('span', { className: 'badge' }, `${unread} unread`);
  return element('li', {}, element('span', {}, text, ' ', count), time(createdAt));
}

function degradedNote({ section, code, via }) {
  const text = ` is degraded: ${STAND_INS[via] ?? via} `;
  return element(
    'p',
    { className: 'degraded' },
    element('strong', {}, section),
    text,
    element('code', {}, code),
  );
}

function problemNote({ title, code, section }) {
  const cause = section === undefined ? title : `${section}: ${title}`;
  return element('p', { className: 'problem' }, element('strong', {}, cause), ' ', element('code', {}, code));
}

function sectionsOf({ user, feed, notifications }, degraded) {
  const mark = (name) => (degraded.some(({ section }) => section === name) ? 'section stands-in' : 'section');
  return [
    element('section', { className: mark('user') }, ...userLines(user)),
    element(
      'section',
      { className: mark('feed') },
      element('h3', {}, 'Feed'),
      list(feed.items.map(feedLine)),
    ),
    element(
      'section',
      { className: mark('notifications') },
      element(
        'h3',
        {},
        'Notifications ',
        element('span', { className: 'badge' }, `${notifications.unread} unread`),
      ),
      list(notifications.latest.map(notificationLine)),
    ),
  ];
}

function userLines({ name, email, tier, roles }) {
  return [
    element('h3', { className: 'name' }, name),
    element('p', { className: 'about' }, `${email} · ${tier} · ${roles.join(', ')}`),
  ];
}

function feedLine({ title, publishedAt }) {
  return element('li', {}, element('span', {}, title), time(publishedAt));
}

function notificationLine({ text, createdAt }) {
  return element('li', {}, element('span', {}, text), ...(createdAt === null ? [] : [time(createdAt)]));
}

function list(lines) {
  return lines.length === 0
    ? element('p', { className: 'nothing' }, 'Nothing to show.')
    : element('ul', {}, ...lines);
}

function time(at) {
  const date = new Date(at);
  return element('time', { dateTime: date.toISOString() }, DAY.format(date));
}

/** Makes an element; text is always text, never markup. */
function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}
