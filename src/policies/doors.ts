/** Where clients come in, and how documentation names it. Every policy acts at each of them, or says why it cannot. */
export const DOORS = {
  proxied: 'a proxied route',
  translated: 'a route that is translated to gRPC',
  aggregated: 'an aggregated route',
  passedGrpc: 'a route that passes gRPC on',
  controller: 'a controller',
  view: 'a view over REST',
  viewStream: 'a view as a stream',
  graphqlPost: 'GraphQL by POST',
  graphqlGet: 'GraphQL by GET',
  graphqlEvents: 'GraphQL as an event stream',
  graphqlReserved: 'GraphQL on a reserved event stream',
  graphqlSocket: 'GraphQL over WebSocket',
  translatedSocket: 'a WebSocket that is translated to gRPC',
  forwardedSocket: 'a WebSocket that is forwarded',
} as const;

/** The name of a door. */
export type DoorName = keyof typeof DOORS;

/** Doors at which a policy makes no sense, each with the reason. */
export type UnfitDoors = { readonly [Name in DoorName]?: string };

/** The doors to GraphQL over HTTP. */
export const GRAPHQL_HTTP = ['graphqlPost', 'graphqlGet', 'graphqlEvents', 'graphqlReserved'] as const;

/** The doors of WebSockets. */
export const SOCKETS = ['graphqlSocket', 'translatedSocket', 'forwardedSocket'] as const;

/** Says of several doors that they do not fit, for one reason. */
export function unfitFor(doors: readonly DoorName[], reason: string): UnfitDoors {
  return Object.fromEntries(doors.map((door) => [door, reason]));
}
