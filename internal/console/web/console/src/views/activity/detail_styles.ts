import { css } from 'lit'

/** The styles of the drawer and of its parts. */
export const partStyles = css`
  :host { display: block; }
  .meta { color: var(--ff-text-2); font-size: var(--ff-size-meta); }
  .faint { color: var(--ff-text-3); font-size: var(--ff-size-sm); }
  .note { padding: var(--ff-space-3) 0; color: var(--ff-text-2); font-size: var(--ff-size-meta); }
  .more { display: flex; justify-content: center; padding: var(--ff-space-3); }
  .one { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }
  ff-error { --ff-space-4: 0px; }
`

export const detailStyles = css`
  ff-drawer { height: 100%; }
  .head { padding: var(--ff-space-4) var(--ff-space-4) var(--ff-space-3); }
  .summary { font-size: var(--ff-size-lg); line-height: 24px; text-wrap: pretty; }
  .said { margin-block: var(--ff-space-2); color: var(--ff-text-2); }
  .marks {
    display: flex; flex-wrap: wrap; align-items: center;
    gap: 4px var(--ff-space-3); margin-block-start: var(--ff-space-2);
  }
  ff-tabs { display: block; --ff-tabs-inset: var(--ff-space-2); }
  .part { padding: var(--ff-space-3) var(--ff-space-4) var(--ff-space-8); }
  h3 {
    margin: var(--ff-space-4) 0 var(--ff-space-2);
    font-size: var(--ff-size-meta); font-weight: var(--ff-weight-bold);
  }
  dl { display: grid; grid-template-columns: 108px minmax(0, 1fr) 32px; font-size: var(--ff-size-meta); }
  dl > div { display: grid; grid-template-columns: subgrid; grid-column: 1 / -1; align-items: start; padding: 1px 0; }
  dl > div:hover { background: var(--ff-hover); }
  dt { padding-block: 4px; color: var(--ff-text-3); }
  dd { min-width: 0; padding-block: 4px; overflow-wrap: anywhere; }
  dd.only { padding: 0; }
  dd code { font-family: var(--ff-font-mono); font-size: var(--ff-size-sm); }
  dd .second {
    display: block; color: var(--ff-text-3); font-family: var(--ff-font-mono);
    font-size: var(--ff-size-xs); line-height: 16px;
  }
`
