#!/usr/bin/env -S node --max-semi-space-size=64 --no-allocation-site-pretenuring --v8-pool-size=1 --external-memory-accounted-in-global-limit
// The young generation holds what exchanges under way hold: small, it would be copied over and over under load. And
// nothing is made in the old generation on suspicion: what dies there keeps what came after it (docs/adr/0025).
// One thread helps to collect: a process has about one core, and every other one would take it from the main thread (0058).
// Buffers count like any memory: for themselves they would set off a collection of everything each 64 MiB of bodies (0058).
//
// Plain JavaScript that any Node can read, so that an old one is told what is wrong instead of showing a stack.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 15)) {
  console.error(
    `gatehouse: needs Node 24.15 or newer, this is ${process.versions.node}; run it with npx or npm, which use the pinned one`,
  );
  process.exit(1);
}
const { noticeStaleBuild } = await import('./stale-build.js');
if (!noticeStaleBuild()) process.exit(1);
const { main } = await import('../dist/cli/main.js');
await main(process.argv.slice(2));
// What was begun before a fault, such as connections to Redis, does not keep the process.
if (process.exitCode) process.exit();
