/**
 * Makes rounds of load at a fixed rate, in a process of its own: reads orders as lines of JSON from standard input, one at a time, and
 * answers each with a line. Ends with its input.
 *
 * @module
 */
import { createInterface } from 'node:readline';
import { PacedClient, type PacedOrder } from './paced-load.ts';

const clients = new Map<string, PacedClient>();

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as PacedOrder;
  let client = clients.get(order.origin);
  if (client === undefined) clients.set(order.origin, (client = new PacedClient(order.origin)));
  console.log(JSON.stringify(await client.run(order)));
}
for (const client of clients.values()) client.close();
