/** Beginnings of names that say who calls and from where, folded. Only the gateway may set such fields. */
const IDENTITY_PREFIXES = ['xuser', 'xclient', 'xtenant', 'xforwarded'] as const;
const IDENTITY_NAMES: ReadonlySet<string> = new Set(['forwarded', 'xrealip']);

/**
 * What servers, frameworks and other gateways use for a word of their own on who calls, from which address, and what is
 * really asked for. A service that believes such a field must not hear it from a client.
 */
const CLAIM_PREFIXES = [
  // Another path, host or method than the one whose policies were met.
  'xoriginal', 'xrewrite', 'xhttpmethod', 'xmethodoverride', 'xhost', 'xhttphost',
  // Users, as web servers and single sign-on say them.
  'remoteuser', 'remotegroup', 'remotename', 'remoteemail', 'remoteident', 'authuser', 'xremote', 'xauthuser',
  'xauthenticated', 'xauthrequest', 'xwebauthuser', 'xwebauthrole', 'xwebauthgroup', 'xwebauthemail', 'xwebauthname',
  'xanonymousconsumer', 'xauthentik', 'xvouch', 'xpomerium', 'xtokensubject', 'xtokenuser', 'xjwtpayload', 'xjwtclaim',
  'xapigatewayapiuserinfo', 'xendpointapiuserinfo', 'xamznrequestcontext',
  'xconsumer', 'xcredentialidentifier', 'xcredentialusername', 'xgoogauthenticated', 'xgoogiap', 'xamznoidc', 'xmsclientprincipal', 'xmstoken', 'cfaccess', 'tailscaleuser',
  // Certificates of clients.
  'sslclient', 'xssl', 'clientcert', 'xarrclientcert', 'xamznmtls',
  // Addresses and schemes of clients.
  'trueclientip', 'clientip', 'cfconnectingip', 'fastlyclientip', 'xazureclientip', 'xazuresocketip', 'xclusterclientip',
  'xoriginatingip', 'xproxyuser', 'xappengineuser', 'remoteaddr', 'remotehost', 'remoteip', 'xenvoy', 'xscheme',
  'xurlscheme', 'frontendhttps',
  // What a proxy says to a framework of its own: checks that were made before, and files that it hands out.
  'xmiddlewaresubrequest', 'xaccel', 'xsendfiletype',
] as const; // prettier-ignore
/** CGI makes of it `HTTP_PROXY`, by which libraries are told where to send what they ask for themselves. */
const CLAIM_NAMES: ReadonlySet<string> = new Set(['proxy']);

/** Fields that are another one for each request, whoever makes it: an answer cannot be chosen by them. */
const PER_REQUEST: ReadonlySet<string> = new Set([
  'x-request-id', 'x-request-deadline-ms', 'traceparent', 'tracestate', 'x-correlation-id', 'x-amzn-trace-id',
  'x-cloud-trace-context', 'cf-ray', 'b3', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-parentspanid', 'x-b3-sampled',
  'x-datadog-trace-id', 'x-datadog-parent-id', 'x-datadog-sampling-priority', 'uber-trace-id', 'sentry-trace',
]); // prettier-ignore

/** Whether a field of this lower-case name is another one for each request. */
export function isPerRequest(name: string): boolean {
  return PER_REQUEST.has(name);
}

/**
 * Folds the name of a header field: its ASCII letters and digits in lower case, without anything between them. Services
 * read `X_User_Id`, `X.User.Id` and `X-User-Id` as the same.
 */
export function foldName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** Whether only the gateway may set a field of this folded name, because it says who calls. */
export function isIdentityName(folded: string): boolean {
  return IDENTITY_NAMES.has(folded) || IDENTITY_PREFIXES.some((prefix) => folded.startsWith(prefix));
}

/** Whether a field of this folded name is one by which services hear from the gateway who calls, and from where. */
export function isToldName(folded: string): boolean {
  return /^xuser|^xforwarded|^(?:forwarded|xrealip|xclientid|xtenantid)$/.test(folded);
}

/** Whether a field of this folded name reaches a service only where the configuration lets it through. */
export function isClaimName(folded: string): boolean {
  return CLAIM_NAMES.has(folded) || CLAIM_PREFIXES.some((prefix) => folded.startsWith(prefix));
}
