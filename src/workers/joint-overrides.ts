import type { Member } from './member.ts';

/** Has a worker that begins while operators have ordered something of targets go by that as the others do. */
export async function keepOverrides(member: Member, listening: readonly Member[]): Promise<void> {
  const other = listening.find((one) => one !== member && !one.isSilent);
  // One that ends before it answers takes nothing with it that another one would not know.
  const overrides = await other?.channel.ask('overrides', undefined).catch(() => undefined);
  if (overrides !== undefined && overrides.length > 0) await member.channel.tell('overrides', overrides);
}
