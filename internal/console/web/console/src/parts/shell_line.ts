/** quoted returns a word as a POSIX shell reads it. */
export function quoted(word: string): string {
  return /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

/** shellLine returns a command with its flags; those without a value are left out. */
export function shellLine(command: string, flags: Record<string, string | true | undefined | null>): string {
  const words = Object.entries(flags).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : value ? [`--${name}`, quoted(value)] : [],
  )
  return [command, ...words].join(' ')
}
