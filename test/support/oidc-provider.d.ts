/** The part of oidc-provider that the tests use; the package has no typings of its own. */
declare module 'oidc-provider' {
  import type { IncomingMessage, Server, ServerResponse } from 'node:http';

  export class Provider {
    /** The models; instances are kept by the adapter. */
    readonly Grant: {
      new (facts: { clientId: string; accountId: string }): Grant;
      find(id: string): Promise<Grant>;
    };

    constructor(issuer: string, configuration: object);
    on(event: 'backchannel.error', listener: (context: unknown, error: unknown) => void): this;
    callback(): (request: IncomingMessage, response: ServerResponse) => void;
    listen(port: number, host: string): Server;
    interactionFinished(request: IncomingMessage, response: ServerResponse, result: object): Promise<void>;
  }

  interface Grant {
    addOIDCScope(scope: string): void;
    save(): Promise<string>;
  }
}
