import { type Client, problemOf } from '@fanfare/client'
import type { Filter } from './selection.ts'

export type Format = 'csv' | 'jsonl'

/** Where an export is written. */
export interface Sink {
  write(chunk: Uint8Array<ArrayBuffer>): Promise<void>
  close(): Promise<void>
  abort(): Promise<void>
}

/** How far an export is. */
export interface Progress {
  rows: number
  bytes: number
}

/** An export that does not fit into the memory of the page. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError'
}

/** exportTo writes all activities that pass the filter, and reports how far it is. It throws if it is not complete. */
export async function exportTo(
  client: Client,
  format: Format,
  filter: Filter,
  sink: Sink,
  report: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Progress> {
  const rows = new RowCounter(format)
  let bytes = 0
  try {
    const query = new URLSearchParams({ format, ...filter })
    const response = await client.send(`/activities/export?${query}`, { signal, timeout: Infinity })
    if (!response.ok || !response.body) throw await problemOf(response)
    const reader = response.body.getReader()
    for (;;) {
      const { value, done } = await reader.read()
      if (done) break
      rows.add(value)
      bytes += value.byteLength
      await sink.write(value)
      report({ rows: rows.count, bytes })
    }
    await sink.close()
    return { rows: rows.count, bytes }
  } catch (error) {
    await sink.abort().catch(() => {})
    throw error
  }
}

const newline = 0x0a
const quote = 0x22

/** RowCounter counts the rows of a file that arrives in chunks: a row of CSV may have newlines in quotes. */
export class RowCounter {
  #csv: boolean
  #lines = 0
  #quoted = false

  constructor(format: Format) {
    this.#csv = format === 'csv'
  }

  get count(): number {
    return this.#csv ? Math.max(0, this.#lines - 1) : this.#lines
  }

  add(chunk: Uint8Array): void {
    for (const byte of chunk) {
      if (byte === quote && this.#csv) this.#quoted = !this.#quoted
      else if (byte === newline && !this.#quoted) this.#lines++
    }
  }
}

type Picker = (options: { suggestedName: string }) => Promise<FileSystemFileHandle>

/** sinkFor asks for a file where the browser can write one; else what is written becomes a download at the end. */
export async function sinkFor(name: string, type: string): Promise<Sink> {
  const picker = (window as { showSaveFilePicker?: Picker }).showSaveFilePicker
  if (!picker) return new DownloadSink(name, type)
  const handle = await picker.call(window, { suggestedName: name })
  const writable = await handle.createWritable()
  return {
    write: (chunk) => writable.write(chunk),
    close: () => writable.close(),
    abort: () => writable.abort(),
  }
}

const maxDownload = 512e6
const part = 4e6

/** Collects a file and downloads it at the end. */
export class DownloadSink implements Sink {
  #name: string
  #type: string
  #chunks: Uint8Array<ArrayBuffer>[] = []
  #chunkBytes = 0
  #parts: Blob[] = []
  #bytes = 0
  #max: number

  constructor(name: string, type: string, max = maxDownload) {
    this.#name = name
    this.#type = type
    this.#max = max
  }

  async write(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#bytes += chunk.byteLength
    if (this.#bytes > this.#max) throw new TooLargeError(`more than ${this.#max} bytes`)
    this.#chunks.push(chunk)
    this.#chunkBytes += chunk.byteLength
    if (this.#chunkBytes > part) this.#fold()
  }

  /** fold moves chunks into a Blob, which the browser may keep on the disk. */
  #fold(): void {
    this.#parts.push(new Blob(this.#chunks))
    this.#chunks = []
    this.#chunkBytes = 0
  }

  async close(): Promise<void> {
    this.#fold()
    const url = URL.createObjectURL(new Blob(this.#parts, { type: this.#type }))
    const link = Object.assign(document.createElement('a'), { href: url, download: this.#name })
    link.click()
    setTimeout(() => URL.revokeObjectURL(url), 60_000)
    this.#parts = []
  }

  async abort(): Promise<void> {
    this.#parts = []
    this.#chunks = []
  }
}
