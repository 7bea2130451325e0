import { css } from 'lit'

export const followingStyles = css`
  .tools {
    display: flex; flex-wrap: wrap; align-items: center; gap: var(--ff-space-2); flex: none;
    padding: var(--ff-space-2) var(--ff-space-6);
  }
  .tools ff-input { flex: 1 1 220px; max-width: 420px; }
  .tools .note { flex-basis: 100%; font-size: var(--ff-size-sm); color: var(--ff-text-2); }
  .columns { position: relative; display: flex; flex: 1; min-height: 0; }
  .main { display: flex; flex-direction: column; flex: 1; min-width: 0; min-height: 0; }
  ff-resource-tree { flex: 1; }
  .scroll { flex: 1; overflow: auto; }
  .detail { display: grid; gap: var(--ff-space-4); padding: var(--ff-space-4); }
  .detail dl {
    display: grid; grid-template-columns: 88px 1fr; gap: var(--ff-space-2) var(--ff-space-3);
    align-items: baseline;
  }
  .detail dt { color: var(--ff-text-3); font-size: var(--ff-size-meta); }
  .detail dd { min-width: 0; overflow-wrap: anywhere; }
  .detail .note { margin-block-start: var(--ff-space-1); font-size: var(--ff-size-meta); color: var(--ff-text-2); }
  ff-drawer { --ff-drawer-width: 400px; }
  .more { padding: var(--ff-space-3) var(--ff-space-6); }
  .hidden {
    flex: none; max-height: 40%; overflow: auto; padding: var(--ff-space-3) var(--ff-space-6);
    border-block-start: 1px solid var(--ff-border);
  }
  .hidden h2 { font-size: var(--ff-size-meta); font-weight: var(--ff-weight-bold); }
  .hidden p { font-size: var(--ff-size-sm); color: var(--ff-text-2); }
  .hidden li { display: flex; flex-wrap: wrap; align-items: center; gap: 0 var(--ff-space-2); min-height: 36px; }
  .hidden code { flex: 1 1 200px; min-width: 0; overflow-wrap: anywhere; font: var(--ff-size-sm) var(--ff-font-mono); }
  @media (max-width: 640px) { .tools, .more, .hidden { padding-inline: var(--ff-space-4); } }
`
