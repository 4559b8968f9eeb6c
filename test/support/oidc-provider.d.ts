/** The part of oidc-provider that the tests use; the package has no typings of its own. */
declare module 'oidc-provider' {
  import type { Server } from 'node:http';

  export class Provider {
    constructor(issuer: string, configuration: object);
    callback(): (
      request: import('node:http').IncomingMessage,
      response: import('node:http').ServerResponse,
    ) => void;
    listen(port: number, host: string): Server;
  }
}
