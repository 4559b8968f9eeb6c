#!/usr/bin/env -S node --max-semi-space-size=64
// The young generation holds what exchanges under way hold: small, it would be copied over and over under load.
//
// Plain JavaScript that any Node can read, so that an old one is told what is wrong instead of showing a stack.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 15)) {
  console.error(
    `gatehouse: needs Node 24.15 or newer, this is ${process.versions.node}; run it with npx or npm, which use the pinned one`,
  );
  process.exit(1);
}
const { main } = await import('../dist/cli/main.js');
await main(process.argv.slice(2));
