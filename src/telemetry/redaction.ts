import { isSecretField, maySayASecret, namesChanged } from './secret-names.ts';

/** What stands for a secret in whatever is written: log, audit, traces, what operators and the command line are shown. */
export const REDACTED = '[redacted]';

/** Variables of the environment whose values are secrets, by how their names end. */
const SECRET_VARIABLE =
  /(?:PASS|PASSWD|PASSWORD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|PRIVATE_KEY|API_?KEY)$/i;

const USERINFO = /\b([a-z][a-z\d+.-]{1,20}:\/\/)[^\s/?#"'@]*(?:@[^\s/?#"'@]*)*@/gi;
const KEY_BLOCK =
  /-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^-]|-(?!----END))*(?:-----END [A-Z ]*PRIVATE KEY-----)?/g;
/**
 * A token, or only its beginning: what has no more parts is taken as a whole and left as it is, because it would be looked
 * through from each of its beginnings else, and whoever wrote it knows how many those are.
 */
const TOKEN = /\beyJ[\w-]{6,}(\.[\w-]*(?:\.[\w-]*){1,3})?/g;
const API_KEY = /\bgh_[\dA-Za-z]{1,32}_[\dA-Za-z]{16,}(?:_[\dA-Za-z]+)?/g;
/** As header fields have them; in lower case they are words as well, and what follows has to look like no word. */
const CREDENTIALS =
  /\b(?:(Bearer|Basic|DPoP|Negotiate)|(bearer|basic|dpop|negotiate)(?=\s+\S*[\dA-Z=]))(\s+)(?!realm=")[\w.~+/-]{4,}=*/g;
/** Within JSON that is a text of JSON a quote has a backslash before it, which is no part of a value. */
const QUERY_PAIR = /([?&;])([\w%.[\]-]{1,64})=((?:[^&\s"'<>;\\]|\\[^"])+)/g;
/** What all of those have; most texts have none of it. */
const SUSPICIOUS = /eyJ|gh_|:\/\/|PRIVATE KEY|[?&;][\w%.[\]-]+=|\b(?:bearer|basic|dpop|negotiate)\s/i;

/** Shorter ones would be found in texts that have nothing to do with them. */
const LEAST_LEARNED = 8;
const MOST_LEARNED = 1000;

const learned = new Set<string>();

/** Takes note of a secret that the process was given, so that it is hidden wherever it turns up. */
export function learnSecret(value: string | undefined): void {
  if (value === undefined || value.length < LEAST_LEARNED || learned.size >= MOST_LEARNED) return;
  learned.add(value);
  // As it looks within JSON.
  const quoted = JSON.stringify(value).slice(1, -1);
  if (quoted !== value) learned.add(quoted);
}

/** Takes note of the secrets of an environment: by the names of its variables, and the passwords of its URLs. */
export function learnEnvironment(env: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) continue;
    if (SECRET_VARIABLE.test(name)) learnSecret(value);
    const userinfo = /^[a-z][a-z\d+.-]*:\/\/([^\s/?#]*)@/i.exec(value)?.[1];
    if (userinfo !== undefined) learnSecret(userinfo.slice(userinfo.indexOf(':') + 1));
  }
}

/** What changes when more is hidden than before: by it, texts that were made to be shown are known to be old. */
export function redactionVersion(): string {
  return `${learned.size} ${namesChanged()}`;
}

/** The same for a text that may be several, such as those that sessions are sealed with. */
function learnSecrets(text: string | undefined): void {
  learnSecret(text);
  for (const one of text?.split(',') ?? []) learnSecret(one.trim());
}

const NAMES_A_VARIABLE = /(?:secret|token|password|passphrase|keys?)Env$/i;

/** The same for variables that a configuration names, whatever they are called: `secretEnv: COOKIE_SALT`. */
export function learnVariables(config: unknown, env: Readonly<Record<string, string | undefined>>): void {
  if (typeof config !== 'object' || config === null) return;
  for (const [key, value] of Object.entries(config)) {
    if (typeof value !== 'string') learnVariables(value, env);
    else if (NAMES_A_VARIABLE.test(key)) learnSecrets(env[value]);
  }
}

/** The same for what a file holds: a secret, or several on lines of their own. Private keys are known by their looks. */
export function learnFileText(text: string): void {
  if (text.trimStart().startsWith('-----BEGIN ')) return;
  for (const line of text.split(/[\r\n]+/)) learnSecrets(line);
}

/**
 * A text without the secrets that can be told by their looks (tokens, API keys of ours, credentials of `Authorization`, user
 * information of URLs, private keys, parameters with a name that may be one of a secret), nor those that were learned.
 */
export function redacted(text: string): string {
  let shown = text;
  if (SUSPICIOUS.test(text))
    shown = text
      .replace(KEY_BLOCK, REDACTED)
      .replace(USERINFO, `$1${REDACTED}@`)
      .replace(TOKEN, (found, parts: string | undefined) => (parts === undefined ? found : REDACTED))
      .replace(API_KEY, REDACTED)
      .replace(CREDENTIALS, `$1$2$3${REDACTED}`)
      .replace(QUERY_PAIR, (pair, lead: string, name: string, value: string) =>
        maySayASecret(name) && value !== '(hidden)' ? `${lead}${name}=${REDACTED}` : pair,
      );
  for (const secret of learned) if (shown.includes(secret)) shown = shown.replaceAll(secret, REDACTED);
  return shown;
}

const DEEPEST = 10;
/** What maps names of others to values: of those the wider list holds. */
const MAPS = /headers|query|cookies/i;

/**
 * Fields of ours without the values of those that are secrets; the same object where there are none. What is nested too deep is
 * hidden as a whole (fail closed).
 */
export function redactedFields<Value>(value: Value): Value {
  return withoutSecrets(value, isSecretField, 0) as Value;
}

function withoutSecrets(value: unknown, isSecret: (name: string) => boolean, depth: number): unknown {
  if (typeof value !== 'object' || value === null || Error.isError(value)) return value;
  if (depth > DEEPEST) return REDACTED;
  if (Array.isArray(value)) {
    const shown = value.map((one: unknown) => withoutSecrets(one, isSecret, depth + 1));
    return shown.some((one, index) => one !== value[index]) ? shown : value;
  }
  let shown = value as Readonly<Record<string, unknown>>;
  for (const [name, before] of Object.entries(value)) {
    const within = MAPS.test(name) ? maySayASecret : isSecret;
    const after = isSecret(name) && isFilled(before) ? REDACTED : withoutSecrets(before, within, depth + 1);
    if (after !== before) shown = { ...shown, [name]: after };
  }
  return shown;
}

function isFilled(value: unknown): boolean {
  return value !== undefined && value !== null;
}
