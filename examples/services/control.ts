import { describeFault, parseFault, type Fault } from './fault.ts';
import { readObject } from './http-body.ts';
import { HttpError, json, type HttpCall, type Reply } from './http-routes.ts';
import { HttpService } from './http-service.ts';
import type { SampleService, ServiceOptions } from './sample-service.ts';

/**
 * Starts the control server: `GET /services` lists the services with their fault and request counts,
 * `PUT /services/{name}/fault` with `{ "mode": "slow", "delayMs": 800 }` switches one.
 *
 * @throws {Error} naming service and port when the port is taken.
 */
export function startControl(
  services: readonly SampleService[],
  options: ServiceOptions = {},
): Promise<HttpService> {
  return new HttpService('control', options, [
    { method: 'GET', path: '/services', handle: () => json(200, { services: services.map(describe) }) },
    { method: 'PUT', path: '/services/{name}/fault', handle: (call) => switchFault(services, call) },
  ]).start();
}

async function switchFault(
  services: readonly SampleService[],
  { request, parameter }: HttpCall,
): Promise<Reply> {
  const fault = read(await readObject(request));
  const service = services.find(({ name }) => name === parameter);
  if (service === undefined) {
    const names = services.map(({ name }) => name).join(', ');
    throw new HttpError(404, `service ${parameter} does not exist; there are ${names}`);
  }
  await service.fault(fault);
  return json(200, describe(service));
}

function read(document: unknown): Fault {
  try {
    return parseFault(document);
  } catch (error) {
    throw new HttpError(400, (error as TypeError).message);
  }
}

function describe(service: SampleService): object {
  const { name, url, mode, requests } = service;
  const { total, aborted, by } = requests;
  return { name, url, fault: describeFault(mode), requests: { total, aborted, by } };
}
