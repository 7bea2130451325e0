import { css } from 'lit'

/** The styles of a row: a line for what happened, and one for the rest. On phones the first one has two. */
export const rowStyles = css`
  :host { display: block; container-type: inline-size; }
  .row {
    position: relative; display: grid; grid-template-columns: auto auto minmax(0, 1fr); column-gap: var(--ff-space-3);
    padding: var(--ff-space-2) var(--ff-space-4) var(--ff-space-2) var(--ff-space-3);
    border-block-end: 1px solid var(--ff-border);
  }
  .row:hover { background: var(--ff-hover); }
  :host([selected]) .row { background: var(--ff-selected); }
  :host([current]) .row { background: var(--ff-selected); box-shadow: inset 2px 0 var(--ff-accent); }
  :host([current]:dir(rtl)) .row { box-shadow: inset -2px 0 var(--ff-accent); }
  .start { display: flex; align-items: center; min-height: 28px; height: 28px; }
  .start::before {
    content: ''; width: 8px; height: 8px; margin-inline-end: var(--ff-space-2); border-radius: 50%;
  }
  .unread .start::before { background: var(--ff-accent); }
  ff-avatar { margin-block-start: 2px; }
  .text { min-width: 0; }
  .first, .second, .meta, .actions { display: flex; align-items: center; }
  .first { gap: var(--ff-space-3); align-items: baseline; }
  .second { gap: var(--ff-space-3); min-height: 26px; }
  .title {
    flex: 1; display: block; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
    color: var(--ff-text-2); border-radius: var(--ff-radius-sm); text-align: left;
  }
  :host(:dir(rtl)) .title { margin-right: -12px; padding-right: 12px; text-align: right; }
  .title:hover { text-decoration: none; }
  .unread .title { color: var(--ff-text); font-weight: var(--ff-weight-bold); }
  .title::after { content: ''; position: absolute; inset: 0; }
  .title:focus-visible { outline: none; }
  .title:focus-visible::after { outline: 2px solid var(--ff-accent); outline-offset: -2px; }
  .time { color: var(--ff-text-3); font-size: var(--ff-size-sm); white-space: nowrap; }
  .meta { flex: 1; gap: var(--ff-space-2); min-width: 0; color: var(--ff-text-2); font-size: var(--ff-size-meta); }
  .where { min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .state { display: inline-flex; align-items: center; gap: 4px; color: var(--ff-text-3); white-space: nowrap; }
  ff-reason, .actions, ff-severity { position: relative; z-index: 1; flex: none; }
  @media (pointer: coarse) { .actions { --ff-control-sm: 44px; } }
  @container (max-width: 460px) {
    .title {
      display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; white-space: normal;
      overflow-wrap: anywhere;
    }
    .second { gap: var(--ff-space-2); margin-block-start: 2px; }
    .meta { order: 1; }
    .second:has(.long) { flex-wrap: wrap; row-gap: 0; }
    .meta.long { order: 0; flex-basis: 100%; }
    .long ~ ff-reason { flex: 1; }
    .actions { order: 2; }
    .kind { display: none; }
  }
`
