import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until a gateway has seen how many share its Redis, which they tell each other once a second. */
export async function untilReplicas(gateway: { metrics(): Promise<string> }, count: number): Promise<void> {
  for (let waited = 0; waited < 10_000; waited += 20) {
    if ((await gateway.metrics()).includes(`gatehouse_replicas ${count}\n`)) return;
    await sleep(20);
  }
  throw new Error(`there are no ${count} replicas`);
}
