import { css } from 'lit'

export const inboxStyles = css`
  .view-header { border-block-end: 0; }
  .split { position: relative; display: flex; flex: 1; min-height: 0; }
  .pane { display: flex; flex: 1; min-width: 0; min-height: 0; }
  ff-tabs { flex: 1; --ff-tabs-inset: var(--ff-space-6); }
  .column { display: flex; flex-direction: column; height: 100%; }
  .bar {
    display: flex; align-items: center; gap: var(--ff-space-3); flex: none; min-height: 49px;
    padding: var(--ff-space-2) var(--ff-space-4) var(--ff-space-2) 27px; border-block-end: 1px solid var(--ff-border);
  }
  .bar > ff-checkbox { flex: none; }
  .bar > :last-child { flex: 1; min-width: 0; }
  .selecting { background: var(--ff-selected); }
  .list { position: relative; flex: 1; min-height: 0; overflow: auto; }
  ff-inbox-list { height: 100%; }
  @media (min-width: 1100px) {
    ff-drawer { --ff-drawer-width: clamp(480px, 50%, 760px); }
  }
  @media (max-width: 1099px) {
    :host([open]) .view-header { position: absolute; min-height: 0; height: 1px; padding: 0; overflow: hidden; }
    :host([open]) .view-header > :not(h1), :host([open]) .pane { visibility: hidden; }
  }
  @media (max-width: 640px) {
    ff-tabs { --ff-tabs-inset: var(--ff-space-2); }
  }
`
