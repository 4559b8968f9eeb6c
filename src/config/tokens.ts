/** Injection token of the checked {@link Environment}. */
export const ENVIRONMENT = Symbol('ENVIRONMENT');

/** Injection token of the configuration that was read: its value and its document. */
export const GATEWAY_SOURCE = Symbol('GATEWAY_SOURCE');

/** Injection token of what is made of each configuration that is read, `(source) => source`; undefined for nothing. Only `gatehouse dev` has it. */
export const ADAPT_SOURCE = Symbol('ADAPT_SOURCE');

/** Injection token of texts that all replicas share for a while; undefined without Redis. */
export const SHARED_TEXTS = Symbol('SHARED_TEXTS');

/** Injection token of the channels over which events reach subscriptions, in all replicas. */
export const PUB_SUB = Symbol('PUB_SUB');

/** Injection token: `true` while a gateway is only checked: nothing listens, and nobody is asked for anything. */
export const DRY_RUN = Symbol('DRY_RUN');

/** Injection token of what keys of session tickets are made from, for processes that share their listeners; undefined for one alone. */
export const TICKET_SECRET = Symbol('TICKET_SECRET');

/** Injection token of whoever takes note of what must be accounted for: `{ record(event) }`, see `AuditEvent`. */
export const AUDIT = Symbol('AUDIT');
