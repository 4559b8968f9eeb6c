import { load, type LoadOptions } from './load.ts';

// The load is made in a process of its own, told round by round what to do; it ends with whoever has started it.
process.on('message', (options: LoadOptions) => {
  load(options).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.once('disconnect', () => process.exit(0));
