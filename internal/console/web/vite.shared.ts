import { resolve } from 'node:path'
import type { BuildOptions, Plugin, ResolveOptions, Rolldown } from 'vite'

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

/** squeezeStyles removes the spaces that css`…` does not need; minifiers keep them. */
export function squeezeStyles(): Plugin {
  const squeezed = (style: string): string => style.replace(/\s+/g, ' ').replace(/\s?([{};,>])\s/g, '$1')
  return {
    name: 'squeeze-styles',
    transform(code, id) {
      if (!id.endsWith('.ts')) return undefined
      return { code: code.replace(/\bcss\s*`[^`]*`/g, squeezed), map: null }
    },
  }
}
