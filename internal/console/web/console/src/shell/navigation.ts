import { icon } from '@fanfare/elements/icon'
import { Ellipsis } from '@fanfare/elements/icons'
import type { MenuItem } from '@fanfare/elements/menu'
import { html, nothing } from 'lit'
import { href } from '../router.ts'
import { allowed, type Route, routes } from '../routes.ts'
import type { Me } from '../sign_in/me.ts'

/** visibleRoutes returns the views of a group that the caller may see. */
function visibleRoutes(me: Me, group: Route['group']): Route[] {
  return routes.filter((r) => r.group === group && allowed(r, me))
}

function link(route: Route, current: string, unread: number, narrow: boolean): unknown {
  return html`<a href=${href(route.id)} aria-current=${route.id === current ? 'page' : nothing}
    title=${narrow ? route.title : nothing}>${icon(route.icon, 18)}<span>${route.title}</span>
    ${badge(route, unread, narrow ? 9 : 99)}</a>`
}

function badge(route: Route, unread: number, max: number): unknown {
  return route.id === 'inbox'
    ? html`<ff-badge tone="accent" .count=${unread} .max=${max} label=${`${unread} unread`}></ff-badge>`
    : nothing
}

/** railLinks renders the links of the rail, in their groups. */
export function railLinks(me: Me, current: string, unread: number, narrow: boolean): unknown {
  const operators = visibleRoutes(me, 'operators')
  const row = (r: Route): unknown => link(r, current, unread, narrow)
  return html`<div class="nav">${visibleRoutes(me, 'people').map(row)}</div>
    ${
      operators.length > 0
        ? html`<div class="group" id="operate">Operate</div>
      <div class="nav" role="group" aria-labelledby="operate">${operators.map(row)}</div>`
        : nothing
    }`
}

/** barLinks renders the bar of phones: three views, and a menu with the rest. */
export function barLinks(
  me: Me,
  current: string,
  unread: number,
  more: MenuItem[],
  select: (event: CustomEvent<string>) => void,
): unknown {
  const people = visibleRoutes(me, 'people')
  const rest = [...people.slice(3), ...visibleRoutes(me, 'operators')]
  const items: MenuItem[] = [
    ...rest.map((r) => ({ id: `view:${r.id}`, label: r.title, icon: r.icon })),
    { separator: true },
    ...more,
  ]
  return html`${people.slice(0, 3).map(
    (r) => html`<a href=${href(r.id)} aria-current=${r.id === current ? 'page' : nothing}
      >${icon(r.icon, 20)}<span>${r.title}</span>${badge(r, unread, 99)}</a>`,
  )}
    <ff-menu .items=${items} label="More" align="end" @select=${select}><button slot="trigger" type="button"
      aria-current=${rest.some((r) => r.id === current) ? 'true' : nothing}
      >${icon(Ellipsis, 20)}<span>More</span></button></ff-menu>`
}
