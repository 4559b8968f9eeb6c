/**
 * The names of OpenTelemetry's semantic conventions (1.45) that spans use. What is stable comes from the package and does not
 * change; what is not has its name written down here, and nowhere else: RPC is a release candidate, GraphQL in development.
 *
 * @module
 */
import {
  ATTR_CLIENT_ADDRESS,
  ATTR_DB_SYSTEM_NAME,
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_REQUEST_METHOD_ORIGINAL,
  ATTR_HTTP_REQUEST_RESEND_COUNT,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
  ATTR_NETWORK_PEER_ADDRESS,
  ATTR_NETWORK_PEER_PORT,
  ATTR_NETWORK_PROTOCOL_NAME,
  ATTR_NETWORK_PROTOCOL_VERSION,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_URL_FULL,
  ATTR_URL_PATH,
  ATTR_URL_QUERY,
  ATTR_URL_SCHEME,
  ATTR_USER_AGENT_ORIGINAL,
} from '@opentelemetry/semantic-conventions';

/** Stable. */
export const HTTP = Object.freeze({
  clientAddress: ATTR_CLIENT_ADDRESS,
  errorType: ATTR_ERROR_TYPE,
  method: ATTR_HTTP_REQUEST_METHOD,
  originalMethod: ATTR_HTTP_REQUEST_METHOD_ORIGINAL,
  resends: ATTR_HTTP_REQUEST_RESEND_COUNT,
  status: ATTR_HTTP_RESPONSE_STATUS_CODE,
  route: ATTR_HTTP_ROUTE,
  peerAddress: ATTR_NETWORK_PEER_ADDRESS,
  peerPort: ATTR_NETWORK_PEER_PORT,
  protocolName: ATTR_NETWORK_PROTOCOL_NAME,
  protocolVersion: ATTR_NETWORK_PROTOCOL_VERSION,
  serverAddress: ATTR_SERVER_ADDRESS,
  serverPort: ATTR_SERVER_PORT,
  url: ATTR_URL_FULL,
  path: ATTR_URL_PATH,
  query: ATTR_URL_QUERY,
  scheme: ATTR_URL_SCHEME,
  userAgent: ATTR_USER_AGENT_ORIGINAL,
  /** Followed by the name of the field, in lower case. */
  requestHeader: 'http.request.header.',
  responseHeader: 'http.response.header.',
});

/** Stable. */
export const DB = Object.freeze({ system: ATTR_DB_SYSTEM_NAME });

/** Not stable: a release candidate, as of 1.45. */
export const RPC = Object.freeze({
  system: 'rpc.system.name',
  method: 'rpc.method',
  status: 'rpc.response.status_code',
});

/** Not stable: in development, as of 1.45. */
export const GRAPHQL = Object.freeze({
  type: 'graphql.operation.type',
  name: 'graphql.operation.name',
});

/** Our own, for what the conventions have no name for. */
export const OWN = Object.freeze({
  requestId: 'gatehouse.request.id',
  route: 'gatehouse.route.id',
  refusedStage: 'gatehouse.refused.stage',
  refusedCode: 'gatehouse.refused.code',
  cache: 'gatehouse.cache',
  replayed: 'gatehouse.replayed',
  cut: 'gatehouse.cut',
  left: 'gatehouse.spans.left',
  kept: 'gatehouse.kept',
  upstream: 'gatehouse.upstream',
  target: 'gatehouse.target',
  reason: 'gatehouse.attempt.reason',
  call: 'gatehouse.call',
  section: 'gatehouse.section',
  policy: 'gatehouse.policy',
  store: 'gatehouse.store.use',
  field: 'gatehouse.graphql.field',
  outcome: 'gatehouse.outcome',
  socketBy: 'gatehouse.socket.closed_by',
  socketCode: 'gatehouse.socket.close_code',
  socketMessagesIn: 'gatehouse.socket.messages.in',
  socketMessagesOut: 'gatehouse.socket.messages.out',
});
