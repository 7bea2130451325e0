import type { MenuItem } from '../menu.ts'
import type { FollowStore, Level, LevelChange, Scope } from './store.ts'
import { type FollowTarget, type FollowTexts, levelText } from './texts.ts'

const levels: readonly Level[] = ['all', 'participating', 'custom', 'ignore']

/** nameIn returns the name of a resource of a target. */
export function nameIn(target: FollowTarget, id: string, texts: FollowTexts): string {
  return id === target.id ? target.name : (target.ancestors.find((a) => a.id === id)?.name ?? texts.unknown)
}

export function idsAbove(target: FollowTarget): string[] {
  return target.ancestors.map((a) => a.id)
}

/** followItems returns the choices of a subscription; their ids are `follow-none`, `follow-resource`, …. */
export function followItems(store: FollowStore, target: FollowTarget, texts: FollowTexts): MenuItem[] {
  const own = store.own(target.id)
  const held = store.follows(target.id, idsAbove(target))
  const choice = (scope: Scope | 'none'): MenuItem => ({
    id: `follow-${scope}`,
    ...texts.choices[scope],
    radio: true,
    checked: (own ?? 'none') === scope,
  })
  const through = held?.group
    ? [{ heading: `${texts.throughGroup(held.group)}. ${texts.ofGroup}` }]
    : held && held.from !== target.id
      ? [{ heading: texts.through(nameIn(target, held.from, texts)) }]
      : []
  const below = target.hasChildren || own === 'descendants'
  return [...through, choice('resource'), ...(below ? [choice('descendants')] : []), choice('none')]
}

/** levelItems returns the choices of a level; their ids are `level-none`, `level-all`, …, and `below`. */
export function levelItems(store: FollowStore, target: FollowTarget, texts: FollowTexts): MenuItem[] {
  const own = store.ownLevel(target.id)
  const above = idsAbove(target)
  const from = above.findLast((id) => store.ownLevel(id)?.scope === 'descendants')
  const inherited = from === undefined ? undefined : store.ownLevel(from)
  const none =
    from !== undefined && inherited
      ? texts.inherited(nameIn(target, from, texts), levelText(inherited, texts))
      : texts.preferences
  const items: MenuItem[] = [
    { heading: texts.levelHeading },
    { id: 'level-none', ...none, radio: true, checked: own === undefined },
    ...levels.map((level) => ({
      id: `level-${level}`,
      label: texts.levels[level].label,
      hint: texts.levels[level].hint,
      radio: true,
      checked: own?.level === level,
    })),
  ]
  if (own && (target.hasChildren || own.scope === 'descendants')) {
    items.push({ separator: true }, { id: 'below', ...texts.below, checked: own.scope === 'descendants' })
  }
  return items
}

/** chosenLevel returns the level of a choice, undefined for none. That of `level-custom` has no patterns yet. */
export function chosenLevel(id: string, store: FollowStore, target: FollowTarget): LevelChange | undefined {
  const own = store.ownLevel(target.id)
  if (id === 'below' && own) {
    return { level: own.level, patterns: own.patterns, scope: own.scope === 'descendants' ? 'resource' : 'descendants' }
  }
  const level = levels.find((l) => id === `level-${l}`)
  if (!level) return undefined
  const scope = own?.scope ?? (target.hasChildren ? 'descendants' : 'resource')
  return { level, scope, patterns: level === 'custom' ? (own?.patterns ?? []) : [] }
}
