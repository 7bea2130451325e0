// The part of Swagger UI's plugin interface that the reference uses
// (https://swagger.io/docs/open-source-tools/swagger-ui/customization/plugin-api/).
declare module 'swagger-ui-dist/swagger-ui-es-bundle.js' {
  export type Node = unknown
  export type Component = ((props: any) => Node) | string

  /** An immutable map of the document. */
  export interface Immutable {
    get(key: string): any
    getIn(path: string[]): any
    size: number
    entrySeq(): { toArray(): [string, Immutable][] }
    toArray(): any[]
    toJS(): any
  }

  export interface System {
    React: {
      createElement(type: Component, props?: object | null, ...children: Node[]): Node
      useEffect(effect: () => void | (() => void), dependencies: unknown[]): void
      useState<T>(initial: T): [T, (value: T) => void]
    }
    getComponent(name: string, container?: boolean): Component
    layoutActions: { show(path: string[], shown: boolean): void; parseDeepLinkHash(hash: string): void }
    authActions: { showDefinitions(schemes: unknown): void }
    authSelectors: {
      definitionsToAuthorize(): { filter(keep: (scheme: { has(name: string): boolean }) => boolean): unknown }
      shownDefinitions(): unknown
    }
    specActions: { updateJsonSpec(document: unknown): unknown }
    errActions: { newSpecErr(error: { source: string; level: string; message: string }): unknown }
    specSelectors: {
      info(): Immutable
      loadingStatus(): string
      taggedOperations(): Immutable
    }
  }

  export type Plugin = (system: System) => {
    components?: Record<string, Component>
    fn?: Record<string, (...a: any[]) => unknown>
    statePlugins?: Record<string, { wrapActions: Record<string, (original: unknown) => (...a: any[]) => unknown> }>
    wrapComponents?: Record<string, (original: Component, system: System) => Component>
  }

  export default function SwaggerUI(options: Record<string, unknown> & { plugins: Plugin[] }): System
}
