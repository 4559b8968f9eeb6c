import { entry, type CatalogueEntry } from './catalogue-entry.ts';

export type { CatalogueEntry } from './catalogue-entry.ts';

/** The closed set of problem codes. */
export const catalogue = {
  'request-malformed': entry(400, 'open', 'The request is malformed', {
    cause:
      'The request line, a header or the path cannot be read safely: an encoded slash, a dot segment, an empty segment, a control character, an invalid percent-encoding.',
    remedy: 'Send a path in its normal form (RFC 3986 section 6) and well-formed headers.',
  }),
  'headers-too-large': entry(431, 'open', 'The header section is too large', {
    cause:
      'The request line and headers together exceed 15 KiB, or more where `identity.tokens.maxSize` is above 8 KiB, over HTTP/2 also 100 fields.',
    remedy: 'Send fewer or smaller headers; cookies are the usual culprit.',
  }),
  'uri-too-long': entry(414, 'open', 'The request target is too long', {
    cause: 'The request line alone exceeds the 15 KiB that it and the headers may have together.',
    remedy: 'Send what the query says in a body.',
  }),
  'method-not-implemented': entry(501, 'open', 'The gateway does not know this method', {
    cause:
      'The method of the request line is none that the HTTP parser knows, or one that is for no resource of a gateway: `CONNECT`.',
    remedy: 'Use a method of RFC 9110, such as GET or POST.',
  }),
  'misdirected-request': entry(421, 'open', 'This connection is not for that host', {
    cause:
      'A request over HTTP/2 names a host for which the listener has another certificate than the one that the connection was opened with, which is not for it.',
    remedy: 'Open another connection whose TLS handshake names the host (SNI); browsers do so by themselves.',
    retryable: true,
  }),
  'request-timeout': entry(408, 'open', 'The request did not arrive in time', {
    cause:
      'The client did not finish its header section or its body within the time the server allows, or was silent for too long in between.',
    remedy: 'Retry on a better connection; operators look at `bodyIdle` and `deadline` of the route.',
    retryable: true,
  }),
  'expectation-failed': entry(417, 'open', 'The gateway does not meet this expectation', {
    cause: 'The `Expect` field asks for something other than `100-continue`.',
    remedy: 'Send the request without `Expect`, or with `Expect: 100-continue`.',
  }),
  'route-not-found': entry(404, 'match', 'No route matches this request', {
    cause: 'No route of the gateway matches the method, host, path and headers.',
    remedy: 'Check the path; `gatehouse routes` lists what exists.',
  }),
  'upstream-missing': entry(500, 'handle', 'Nobody answers this', {
    cause: 'The share of the route that the request fell to has no service, or is refused by `split`.',
    remedy: 'Operators look at `split` of the route, or at the status of the HTTPRoute.',
  }),
  'version-unknown': entry(400, 'match', 'There is no such version', {
    cause:
      'The header field, the media type or the query names a version of the API that the route does not have.',
    remedy: 'Ask for one of `versions`, or for none, which is the default where there is one.',
  }),
  'version-gone': entry(410, 'match', 'This version is no longer served', {
    cause: 'The sunset of the version has passed, and its `deprecation` says `afterSunset: gone`.',
    remedy: 'Move to the version that `successor` names; `Link` says where to read about it.',
  }),
  'method-not-allowed': entry(405, 'match', 'This path does not take that method', {
    cause: 'A route owns the path, but not with this method.',
    remedy: 'Use one of the methods in the Allow header.',
  }),
  'upgrade-required': entry(426, 'handle', 'This path is for WebSockets', {
    cause:
      'A plain request came for a stream of messages in both directions, or from the client, that is only offered over WebSocket.',
    remedy: 'Open a WebSocket: `GET` with `Upgrade: websocket` and `Connection: upgrade`.',
  }),
  'address-denied': entry(403, 'address', 'This address may not call here', {
    cause:
      'The address of the client is on the list of those that are kept out, is not on that of those that are let in, or cannot be told because a trusted proxy does not name it; or the API key is for other addresses.',
    remedy: 'Call from another network, or ask the operator; the access line has the address that counted.',
  }),
  'load-shed': entry(503, 'load', 'The gateway has too much to do right now', {
    cause:
      'The event loop or the memory of the gateway is over its threshold, and requests of this class are refused, all or some of them. Nothing of the request was used.',
    remedy:
      'Retry after the time in Retry-After; operators look at `gatehouse_load_shedding_level`, add replicas, or say which routes matter more.',
    retryable: true,
  }),
  'credentials-missing': entry(401, 'identify', 'This route needs credentials', {
    cause: 'The route requires authentication and the request carries no credential that it accepts.',
    remedy:
      'Send `Authorization: Bearer <token>` or `X-API-Key: <key>`; WWW-Authenticate says what is taken.',
  }),
  'credentials-invalid': entry(401, 'identify', 'The credentials are not valid', {
    cause:
      'The token or key was checked and refused: bad signature, wrong issuer or audience, algorithm not allowed, unknown signing key, a token that is bound to a certificate and comes without it, unknown or disabled API key, a certificate of nobody who is known.',
    remedy: 'Get a new token from the issuer, or ask for a new key, or for a rule for the certificate.',
  }),
  'credentials-expired': entry(401, 'identify', 'The token has expired', {
    cause: 'The `exp` of the token has passed, or the API key or the certificate of the client has ended.',
    remedy: 'Refresh the token, or renew the certificate, and retry; for a key, ask for another one.',
  }),
  'credentials-revoked': entry(401, 'identify', 'The credentials were revoked', {
    cause:
      'The token, its session, or all that its subject was issued before a time was revoked, before it expired; or the API key was, which is answered with 403. Streams and sockets end with it.',
    remedy:
      'Log in again; a token that is refreshed may be revoked as well. For a key, ask the operator for another one.',
  }),
  'login-failed': entry(400, 'identify', 'The log-in has failed', {
    cause:
      'The provider refused, or what it sent the browser back with does not belong to a log-in that this browser has begun: it took longer than ten minutes, was used before, or cookies are switched off.',
    remedy: 'Log in again.',
  }),
  'session-too-large': entry(502, 'handle', 'The session does not fit into cookies', {
    cause: 'The tokens of the provider are larger than the two cookies that a session may have.',
    remedy: 'Operators say `identity.login.session.store: redis`, or have the provider say less.',
  }),
  'too-many-attempts': entry(429, 'identify', 'Too many bad credentials', {
    cause:
      'So many bad credentials came from this address that none are checked for a while, but those that are known to be good.',
    remedy: 'Wait for the time in Retry-After, and mend whatever sends bad credentials.',
    retryable: true,
  }),
  'identity-unavailable': entry(503, 'identify', 'The credentials cannot be checked right now', {
    cause:
      'The issuer or the key store is unreachable, so the credential was neither accepted nor refused; or it cannot be known who is revoked, and `identity.revocation` says `onStoreError: closed`; or the token that the service is to get can neither be signed nor exchanged.',
    remedy: 'Retry after the time in Retry-After; the credential itself may be good.',
    retryable: true,
  }),
  'permission-denied': entry(403, 'authorize', 'This principal may not do that', {
    cause: 'The principal is known, but lacks a role or permission that the route asks for.',
    remedy: 'Ask for the role, or use another principal.',
  }),
  'authorization-unavailable': entry(503, 'ask', 'It cannot be found out who may do that', {
    cause:
      'The service that decides about requests of the route cannot be asked, or its answer is none, and `onFault` is `deny`.',
    remedy:
      'Retry after the time in Retry-After; operators look at the upstream that `externalAuthorization` names.',
    retryable: true,
  }),
  'rate-limited': entry(429, 'limit', 'Too many requests', {
    cause:
      'A limit of the route has no room for this request, by its key: the bucket is empty, or the window full.',
    remedy:
      'Wait for the time in Retry-After; `violated-policies` names the limits. A rejected request costs nothing.',
    retryable: true,
  }),
  'quota-exceeded': entry(429, 'quota', 'The quota is used up', {
    cause: 'A quota of the route has no room for this request in the window that runs.',
    remedy:
      'Wait for the time in Retry-After, when the next window begins, or ask the operator for more. `/quota` shows what is left. A rejected request is not counted.',
    retryable: true,
  }),
  'quota-unavailable': entry(503, 'quota', 'The quota cannot be checked right now', {
    cause: 'Redis did not answer in time and the quota says `onStoreError: closed`.',
    remedy: 'Retry after the time in Retry-After; operators look at Redis.',
    retryable: true,
  }),
  'limiter-unavailable': entry(503, 'limit', 'The limit cannot be checked right now', {
    cause: 'The store of the limiter is unreachable and this limit says `onStoreError: closed`.',
    remedy: 'Retry later; operators check Redis or choose `local` or `open`.',
    retryable: true,
  }),
  'body-too-large': entry(413, 'size', 'The request body is too large', {
    cause: 'The body exceeds the limit of the route.',
    remedy: 'Send a smaller body or split the upload.',
  }),
  'not-cached': entry(504, 'cache', 'No stored answer can be given', {
    cause:
      'The client asks for a stored answer only (`Cache-Control: only-if-cached`), and the cache of the route has none that it may give.',
    remedy: 'Ask without `only-if-cached`, so that the service is asked.',
    retryable: true,
  }),
  'deadline-exceeded': entry(504, 'deadline', 'The deadline of the request has passed', {
    cause: 'The request did not finish within the total time that its route allows.',
    remedy: 'Retry if the operation is idempotent; operators look at the slow upstream in the access line.',
    retryable: true,
  }),
  'request-invalid': entry(400, 'validate', 'The request is not valid', {
    cause: 'The body, the query or a parameter does not have the required shape.',
    remedy: 'Mend what `errors` lists; each entry has a JSON pointer.',
  }),
  'idempotency-key-invalid': entry(400, 'idempotency', 'The Idempotency-Key cannot be taken', {
    cause:
      'The field is missing where the route requires it, stands there more than once, is neither a string in quotes nor a word of at most 255 characters, or comes from a caller that nobody knows.',
    remedy: 'Send one key for each request, such as a UUID in quotes.',
  }),
  'idempotency-key-reused': entry(422, 'idempotency', 'This Idempotency-Key belongs to another request', {
    cause: 'The key was sent before, with another method, query, content type or body.',
    remedy: 'Send a new key for a new request, and the same request for the same key.',
  }),
  'idempotency-in-flight': entry(409, 'idempotency', 'The first request with this key is under way', {
    cause: 'A request with the same key has not been answered yet, and is not run a second time.',
    remedy: 'Send the same request again after the time in Retry-After: it gets the answer of the first.',
    retryable: true,
  }),
  'idempotency-outcome-unknown': entry(409, 'idempotency', 'Nobody knows what became of this request', {
    cause:
      'A request with the same key was given to the service, which did not answer, or the gateway ended before it could keep the answer.',
    remedy:
      'Find out whether it was done, and if not, send it with a new key. Operators whose service knows keys itself say `onUnknown: run`.',
  }),
  'idempotency-not-replayable': entry(409, 'idempotency', 'The answer cannot be repeated', {
    cause:
      'A request with the same key was run. Its answer was larger than `maxAnswer`, a stream of events, kept under another encryption key, or made for other rights than the caller has now.',
    remedy: 'Read what became of it, for example by GET; it is not run again.',
  }),
  'idempotency-unavailable': entry(503, 'idempotency', 'It cannot be told whether this key was used', {
    cause: 'The store of keys does not answer, and the route says `onStoreError: closed`; nothing was run.',
    remedy: 'Send the same request again after the time in Retry-After; operators check Redis.',
    retryable: true,
  }),
  'concurrency-limited': entry(503, 'concurrency', 'Too many requests are under way', {
    cause:
      'As many requests of the route, or of this caller, are under way as may be; the queue was full, or no place became free in time.',
    remedy: 'Retry after the time in Retry-After, with fewer requests at once.',
    retryable: true,
  }),
  'fault-injected': entry(503, 'fault', 'A fault was made on purpose', {
    cause: 'The route has the policy `fault`, and the environment says `FAULT_INJECTION=on`.',
    remedy: 'Somebody tests how failures are lived with; operators switch FAULT_INJECTION off.',
    retryable: true,
  }),
  'circuit-open': entry(503, 'break', 'The upstream is failing and is left alone for a moment', {
    cause: 'The breaker of every target of the upstream is open.',
    remedy: 'Retry after the time in Retry-After.',
    retryable: true,
  }),
  'no-available-target': entry(503, 'balance', 'No target of the upstream is available', {
    cause: 'The upstream has no target that is healthy, or no connection to it became free in time.',
    remedy:
      'Retry after the time in Retry-After; operators check the health of the upstream, `maxConnections` and `timeouts.queue`.',
    retryable: true,
  }),
  'upstream-saturated': entry(503, 'balance', 'The upstream has as much to do as it may', {
    cause:
      'Every target of the upstream that can be called has as many calls as `maxRequests` or its adaptive limit allows, or all of them together as many as `maxInFlight`; the queue was full, or no turn came in time. Nothing was sent, and nothing has failed.',
    remedy:
      'Retry after the time in Retry-After; operators look at `gatehouse_target_concurrency_limit`, `maxRequests`, `maxInFlight`, `maxQueued` and `timeouts.queue`.',
    retryable: true,
  }),
  'upstream-unreachable': entry(502, 'forward', 'The upstream cannot be reached', {
    cause: 'The connection to the upstream was refused, reset or closed before it answered.',
    remedy: 'Retry if the operation is idempotent.',
    retryable: true,
  }),
  'upstream-timeout': entry(504, 'forward', 'The upstream did not answer in time', {
    cause:
      'Connecting to the upstream, waiting for its first byte, or waiting for it to take the body took longer than its timeout.',
    remedy: 'Retry if the operation is idempotent.',
    retryable: true,
  }),
  'upstream-response-invalid': entry(502, 'forward', 'The upstream gave an answer that cannot be used', {
    cause:
      'The answer is not valid HTTP or gRPC, is larger than a policy allows, or does not have the shape that the gateway was told to expect.',
    remedy: 'Nothing the caller can do; operators look at the upstream named in the access line.',
  }),
  'upstream-rejected': entry(502, 'forward', 'The upstream refused the gateway', {
    cause: 'The upstream answered a composed call with an error that the caller cannot mend.',
    remedy: 'Nothing the caller can do; operators look at the upstream named in the access line.',
  }),
  'resource-not-found': entry(404, 'handle', 'There is no such resource', {
    cause: 'The service behind a translated route answered NOT_FOUND.',
    remedy: 'Check the identifier.',
  }),
  conflict: entry(409, 'handle', 'The request conflicts with the current state', {
    cause: 'The service behind a translated route answered ALREADY_EXISTS or ABORTED.',
    remedy: 'Read the resource again, then retry.',
  }),
  'upstream-exhausted': entry(429, 'handle', 'The service has no capacity for this caller', {
    cause: 'The service behind a translated route answered RESOURCE_EXHAUSTED.',
    remedy: 'Retry later.',
    retryable: true,
  }),
  'not-implemented': entry(501, 'handle', 'The service does not offer this operation', {
    cause: 'The service behind a translated route answered UNIMPLEMENTED.',
    remedy: 'Operators check that gateway and service speak the same version of the contract.',
  }),
  'media-type-unsupported': entry(415, 'validate', 'This media type is not supported', {
    cause: 'The Content-Type of the request is not one that the route reads.',
    remedy: 'Send `application/json`.',
  }),
  'client-closed': entry(499, 'forward', 'The client went away', {
    cause: 'The client closed its connection before the answer was complete. It is logged, never sent.',
    remedy: 'Nothing; it is not counted against the upstream.',
  }),
  'audit-unavailable': entry(503, 'open', 'What happens cannot be accounted for right now', {
    cause: 'Audit events cannot be written, and `audit.onFailure` is `refuse`.',
    remedy: 'Retry later; operators look at the disk, at `gatehouse_audit_failing` and the log.',
    retryable: true,
  }),
  starting: entry(503, 'open', 'The gateway is starting', {
    cause: 'Not all of its workers serve yet. Only readiness answers with it.',
    remedy: 'Retry; until then another replica answers.',
    retryable: true,
  }),
  'shutting-down': entry(503, 'open', 'The gateway is shutting down', {
    cause: 'The gateway is draining and its time for open requests has run out.',
    remedy: 'Retry; another replica answers.',
    retryable: true,
  }),
  internal: entry(500, 'handle', 'Something went wrong in the gateway', {
    cause: 'A fault of the gateway or of a code-first handler. The log has details under the request id.',
    remedy: 'Report the `instance` of the problem.',
  }),
} as const satisfies Record<string, CatalogueEntry>;

/** A code of the catalogue. */
export type ProblemCode = keyof typeof catalogue;
