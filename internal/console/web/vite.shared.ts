import { resolve } from 'node:path'
import { type BuildOptions, parseSync, type Plugin, type ResolveOptions, type Rolldown, Visitor } from 'vite'

/** FANFARE_DIST builds to another place, so that the output can be compared with the committed one. */
const root = process.env['FANFARE_DIST'] ?? resolve(import.meta.dirname, '../dist')

/** Packages of this workspace are read from their sources. */
export const resolution: ResolveOptions & { conditions: string[] } = {
  conditions: ['fanfare-source', 'module', 'browser'],
}

/** build returns options with which the same sources have the same output, in a folder of dist. */
export function build(folder: string, codeSplitting: Rolldown.OutputOptions['codeSplitting'] = true): BuildOptions {
  return {
    outDir: resolve(root, folder),
    emptyOutDir: true,
    target: 'es2022',
    cssTarget: ['chrome123', 'edge123', 'firefox121', 'safari17.5'], // which have light-dark()
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        codeSplitting,
        entryFileNames: 'assets/[name]-[hash].js',
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  }
}

/** What minifiers keep: the spaces of css`…`, the line breaks of html`…`. */
const squeezed: Record<string, (text: string) => string> = {
  css: (text) =>
    text
      .replace(/\s+/g, ' ')
      .replace(/\s?([{};,>])\s/g, '$1')
      .replace(/: /g, ':')
      .replace(/;\}/g, '}'),
  html: (text) => text.replace(/\s*\n\s*/g, ' '),
}

/** squeezeTemplates shortens templates to what a browser makes of them. */
export function squeezeTemplates(): Plugin {
  return {
    name: 'squeeze-templates',
    transform: {
      filter: { id: /\.ts$/, code: /\b(css|html)`/ },
      handler(code, id) {
        const texts: { start: number; end: number; text: string }[] = []
        new Visitor({
          TaggedTemplateExpression({ tag, quasi }) {
            const squeeze = tag.type === 'Identifier' ? squeezed[tag.name] : undefined
            for (const { start, end } of squeeze ? quasi.quasis : []) {
              texts.push({ start, end, text: squeeze?.(code.slice(start, end)) ?? '' })
            }
          },
        }).visit(parseSync(id, code, { astType: 'js' }).program)
        // From the last to the first, so that the places of the others stay.
        texts.sort((a, b) => b.start - a.start)
        for (const { start, end, text } of texts) code = code.slice(0, start) + text + code.slice(end)
        return { code, map: null }
      },
    },
  }
}
