import { startControl } from './control.ts';
import { startFeed } from './feed.ts';
import type { GrpcService } from './grpc-service.ts';
import type { HttpService } from './http-service.ts';
import { startIdentity, type IdentityService } from './identity.ts';
import { startNotifications, type NotificationsService } from './notifications.ts';
import { startOrders } from './orders.ts';
import { startPayments, type PaymentsService } from './payments.ts';
import type { SampleService } from './sample-service.ts';
import { startUsers } from './users.ts';
import { UsersStore } from './users-store.ts';

/** The ports that demo and containers use. */
export const DEFAULT_PORTS = {
  control: 4100,
  'users-1': 4101,
  'users-2': 4102,
  feed: 4103,
  payments: 4104,
  orders: 4201,
  notifications: 4202,
  identity: 4300,
} as const;

/** How often something happens to whoever watches, in demo and containers. */
export const NOTIFY_EVERY_MS = 5000;

/** The name of a sample service. */
export type ServiceName = keyof typeof DEFAULT_PORTS;
/** A port for each service. */
export type ServicePorts = Readonly<Record<ServiceName, number>>;

/** Any free port for each service, for tests. */
export const FREE_PORTS: ServicePorts = {
  control: 0,
  'users-1': 0,
  'users-2': 0,
  feed: 0,
  payments: 0,
  orders: 0,
  notifications: 0,
  identity: 0,
};

/** How the sample services are started. */
export interface SampleServicesOptions {
  /** Ports that differ from {@link DEFAULT_PORTS}; 0 takes any free one. */
  readonly ports?: Partial<ServicePorts>;
  /** The address to bind; `127.0.0.1` by default. */
  readonly host?: string;
  /** The `iss` of the issuer's tokens; its own url by default. */
  readonly issuer?: string;
  /** Prints no addresses. */
  readonly quiet?: boolean;
  /** How often something happens to whoever watches their notifications, in ms; never by default. */
  readonly notifyEveryMs?: number;
}

/** All sample services by name. */
export interface SampleServices {
  readonly 'users-1': HttpService;
  readonly 'users-2': HttpService;
  readonly feed: HttpService;
  readonly payments: PaymentsService;
  readonly orders: GrpcService;
  readonly notifications: NotificationsService;
  readonly identity: IdentityService;
  readonly control: HttpService;
  /** Stops all of them and destroys open connections. */
  stop(): Promise<void>;
}

/**
 * Starts all sample services. Both users instances serve the same data.
 *
 * @throws {Error} naming service and port when a port is taken; those already started are stopped.
 */
export async function startSampleServices(options: SampleServicesOptions = {}): Promise<SampleServices> {
  const started: SampleService[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((service) => service.stop()));
  };
  try {
    const services = await startAll(options, started);
    if (options.quiet !== true) for (const { name, url } of started) console.log(`${name.padEnd(14)} ${url}`);
    return { ...services, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startAll(
  options: SampleServicesOptions,
  started: SampleService[],
): Promise<Omit<SampleServices, 'stop'>> {
  const at = (name: ServiceName): { name: string; port: number; host: string } => ({
    name,
    port: options.ports?.[name] ?? DEFAULT_PORTS[name],
    host: options.host ?? '127.0.0.1',
  });
  const keep = async <Service extends SampleService>(starting: Promise<Service>): Promise<Service> => {
    const service = await starting;
    started.push(service);
    return service;
  };
  const store = new UsersStore();
  // One after the other, so that a taken port finds nothing half started.
  const users1 = await keep(startUsers({ ...at('users-1'), store }));
  const users2 = await keep(startUsers({ ...at('users-2'), store }));
  const feed = await keep(startFeed(at('feed')));
  const payments = await keep(startPayments(at('payments')));
  const orders = await keep(startOrders(at('orders')));
  const notifications = await keep(
    startNotifications({ ...at('notifications'), everyMs: options.notifyEveryMs }),
  );
  const issuer = options.issuer === undefined ? {} : { issuer: options.issuer };
  const identity = await keep(startIdentity({ ...at('identity'), ...issuer }));
  const control = await keep(startControl([...started], at('control')));
  return { 'users-1': users1, 'users-2': users2, feed, payments, orders, notifications, identity, control };
}
