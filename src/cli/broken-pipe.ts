const watched = new WeakSet<NodeJS.WriteStream>();

/**
 * Ends the process without a word when whoever reads its output has left, as `head` and `less` do. For commands that are over
 * with what they have written: to one that goes on, losing a reader is no reason to end.
 */
export function endWithReader(stream: NodeJS.WriteStream): void {
  if (watched.has(stream)) return;
  watched.add(stream);
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}
