import { css } from 'lit'

export const activityStyles = css`
  .bar {
    display: flex; align-items: start; gap: var(--ff-space-2); flex: none;
    padding: var(--ff-space-2) var(--ff-space-6); border-block-end: 1px solid var(--ff-border);
  }
  .bar > ff-button { flex: none; }
  h1 { display: flex; align-items: baseline; gap: var(--ff-space-3); }
  h1 .count { color: var(--ff-text-3); font-size: var(--ff-size-meta); font-weight: var(--ff-weight); }
  .columns { position: relative; display: flex; flex: 1; min-height: 0; }
  ff-activity-facets { flex: none; width: 232px; border-inline-end: 1px solid var(--ff-border); }
  .main { position: relative; display: flex; flex-direction: column; flex: 1; min-width: 0; min-height: 0; }
  .main > ff-empty, .main > ff-error, .main > .working { margin-block: auto; }
  .main > ff-skeleton { padding: var(--ff-space-3) var(--ff-space-4); }
  .new {
    position: absolute; inset-block-start: 40px; inset-inline: 0;
    z-index: 5; display: grid; justify-items: center; pointer-events: none;
  }
  .new ff-button { pointer-events: auto; border-radius: var(--ff-radius-full); box-shadow: var(--ff-shadow); }
  .new ff-button::part(button) { border-radius: var(--ff-radius-full); }
  .live-dot { width: 8px; height: 8px; border-radius: 50%; background: var(--ff-text-3); }
  .live-dot.live { background: var(--ff-success); }
  .live-dot.waiting, .live-dot.connecting { background: var(--ff-warning); }
  .working {
    display: grid; gap: var(--ff-space-3); justify-items: center;
    padding: var(--ff-space-6); color: var(--ff-text-2);
  }
  ff-drawer { --ff-drawer-width: 520px; }
  @media (max-width: 1399px) {
    ff-drawer { --ff-drawer-width: 440px; }
    .with-detail ff-activity-facets { display: none; }
  }
  @media (max-width: 899px) {
    .bar { padding-inline: var(--ff-space-4); }
    ff-activity-facets.small {
      position: absolute; inset: 0; z-index: 10; width: auto; border: 0; background: var(--ff-surface);
    }
  }
  @media (max-width: 640px) { .wide-only { display: none; }}
  @media (max-width: 1099px) {
    :host([detail]) .bar, :host([detail]) .view-header > :not(h1) { display: none; }
    :host([detail]) .view-header { position: absolute; clip-path: inset(50%); min-height: 0; padding: 0; border: 0; }
  }
`
