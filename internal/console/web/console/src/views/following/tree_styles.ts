import { css } from 'lit'

export const treeStyles = css`
  :host { display: flex; flex-direction: column; min-height: 0; container-type: inline-size; }
  .columns, .row {
    display: grid; grid-template-columns: minmax(0, 1fr) 190px 220px 32px;
    gap: 0 var(--ff-space-2); align-items: center;
    padding: 0 var(--ff-space-4) 0 var(--ff-space-6);
  }
  .columns {
    flex: none; min-height: 32px; border-block-end: 1px solid var(--ff-border); font-size: var(--ff-size-sm);
    color: var(--ff-text-3);
  }
  .columns span + span { padding-inline-start: 9px; }
  ff-virtual-list { flex: 1; min-height: 0; }
  .row { min-height: 38px; border-block-end: 1px solid var(--ff-border); }
  .row:hover { background: var(--ff-hover); }
  .row[aria-selected='true'], .row.current { background: var(--ff-selected); }
  .row:focus-visible { outline-offset: -2px; border-radius: var(--ff-radius-sm); }
  .name { display: flex; align-items: center; gap: 2px; min-width: 0; }
  .indent { flex: none; width: calc(var(--depth) * 18px); }
  .twisty, .gap { flex: none; display: grid; place-items: center; width: 24px; height: 24px; color: var(--ff-text-3); }
  .twisty { border-radius: var(--ff-radius-sm); }
  .twisty:hover { background: var(--ff-active); color: var(--ff-text); }
  .twisty svg { transition: rotate var(--ff-motion); }
  [aria-expanded='true'] > .name .twisty svg { rotate: 90deg; }
  input[type='checkbox'] { flex: none; width: 16px; height: 16px; margin: 4px; accent-color: var(--ff-accent); }
  input:not(:checked, :indeterminate) {
    appearance: none; border: 1px solid var(--ff-border-control); border-radius: 3px;
  }
  .title { min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; margin-inline-start: 4px; }
  .type { flex: none; margin-inline-start: 6px; font-size: var(--ff-size-sm); color: var(--ff-text-3); }
  .path {
    min-width: 0; flex: 0 1 auto; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
    margin-inline-start: 6px; font-size: var(--ff-size-sm); color: var(--ff-text-3);
  }
  ff-chip { flex: none; margin-inline-start: 6px; }
  .note {
    display: flex; align-items: center; gap: var(--ff-space-2);
    font-size: var(--ff-size-sm); color: var(--ff-text-2);
  }
  @container (max-width: 700px) {
    .columns { display: none; }
    .row {
      grid-template-columns: minmax(0, 1fr) auto 32px;
      padding: 4px var(--ff-space-4) 4px var(--ff-space-2);
    }
    .name { grid-column: 1 / -1; min-height: 32px; }
    .row > .follow { padding-inline-start: calc(24px + var(--depth) * 12px); }
    .row > .level { max-width: 46cqi; }
    .indent { width: calc(var(--depth) * 12px); }
  }
  @media (pointer: coarse) {
    .twisty, .gap { width: 32px; height: 44px; }
    input[type='checkbox'] { width: 20px; height: 20px; }
  }
`
