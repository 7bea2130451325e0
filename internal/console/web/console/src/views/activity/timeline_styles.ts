import { css } from 'lit'

export const timelineStyles = css`
  :host {
    display: block; flex: 1; min-width: 0; min-height: 0; overflow-y: auto; overflow-x: hidden; contain: strict;
    overscroll-behavior: contain; overflow-anchor: none;
  }
  .days { position: relative; }
  .day { position: absolute; inset-inline: 0; top: 0; }
  h2 {
    position: sticky; top: 0; z-index: 2; height: 32px; padding: 8px var(--ff-space-4) 0;
    background: var(--ff-surface); border-block-end: 1px solid var(--ff-border);
    font-size: var(--ff-size-sm); line-height: 16px; font-weight: var(--ff-weight-bold); color: var(--ff-text-2);
  }
  ul { position: relative; }
  .row { position: absolute; inset-inline: 0; top: 0; contain: strict; }
  a {
    display: grid; align-items: center; height: 100%; padding: 0 var(--ff-space-4); gap: 0 var(--ff-space-3);
    border-radius: 0; border-block-end: 1px solid var(--ff-border); color: inherit; text-decoration: none;
    font-size: var(--ff-size-meta);
  }
  a:hover { background: var(--ff-hover); text-decoration: none; }
  a:focus-visible { outline-offset: -2px; }
  .open a { background: var(--ff-selected); }
  .wide a {
    grid-template: 'mark actor text resource time' / 20px minmax(120px, 176px) minmax(0, 1fr) minmax(80px, 220px) 76px;
  }
  .narrow a {
    grid-template:
      'mark text text time' 20px
      '. actor resource resource' 20px / 20px fit-content(50%) minmax(0, 1fr) auto;
    align-content: center; gap: 2px var(--ff-space-2);
  }
  .mark { grid-area: mark; display: grid; place-items: center; }
  .dot { width: 6px; height: 6px; border-radius: 50%; background: var(--ff-border-control); }
  .actor { grid-area: actor; display: flex; align-items: center; gap: var(--ff-space-2); min-width: 0; }
  .narrow .actor { color: var(--ff-text-2); }
  .narrow .actor ff-avatar { display: none; }
  .text { grid-area: text; }
  .name, .text, .resource { min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .title { font-weight: var(--ff-weight-medium); }
  .summary { color: var(--ff-text-3); }
  .wide .summary { margin-inline-start: 4px; }
  .failed {
    margin-inline-start: 6px; padding: 0 5px; border-radius: var(--ff-radius-full); background: var(--ff-error-soft);
    color: var(--ff-error); font-size: var(--ff-size-xs);
  }
  .resource { grid-area: resource; color: var(--ff-text-2); }
  .narrow .resource::before { content: '·'; margin-inline-end: var(--ff-space-2); color: var(--ff-text-3); }
  time { grid-area: time; color: var(--ff-text-3); font-size: var(--ff-size-sm); text-align: end; white-space: nowrap; }
  .fresh a { animation: arrive 1.6s var(--ff-ease); }
  @keyframes arrive { from { background: var(--ff-accent-soft); } }
  @media (prefers-reduced-motion: reduce) { .fresh a { animation: none; } }
  .footer { padding: var(--ff-space-4); text-align: center; color: var(--ff-text-3); font-size: var(--ff-size-meta); }
`
