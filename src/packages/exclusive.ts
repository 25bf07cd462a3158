import { UserError } from '../diagnostics/index.ts'

/**
 * Runs `work` while this process alone holds the lock on `file`; waits for others, processes included.
 *
 * The lock is flock(2), held by a child (util-linux's flock) that lives until the end of its standard input: when
 * this process dies, however it dies, the pipe closes and the lock is free.
 *
 * @param waiting called once, when another holds the lock and this one has to wait
 */
export async function exclusively<T>(
  file: string,
  signal: AbortSignal,
  waiting: () => void,
  work: () => Promise<T>,
): Promise<T> {
  // Loaded here, as everywhere in this room: it costs more than a build that needs no apt.
  const { execa } = await import('execa')
  const holder = execa('flock', ['--exclusive', file, 'sh', '-c', 'echo; exec cat >/dev/null'], {
    cancelSignal: signal,
    buffer: false,
    reject: false,
  })
  const patience = setTimeout(waiting, 1000)
  try {
    const held = await Promise.race([
      new Promise<boolean>((done) => {
        holder.stdout.once('data', () => done(true))
        holder.stdout.once('end', () => done(false))
      }),
      holder.then(() => false),
    ])
    signal.throwIfAborted()
    if (!held) {
      throw new UserError({
        what: `${file} cannot be locked: ${(await holder).shortMessage ?? 'flock failed'}`,
        fix: 'make its folder writable; flock is in the package util-linux',
      })
    }
    clearTimeout(patience)
    return await work()
  } finally {
    clearTimeout(patience)
    holder.stdin.end()
    await holder
  }
}
