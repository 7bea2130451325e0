import { css } from 'lit'

export const patternStyles = css`
  :host { display: block; min-width: 0; }
  .label {
    display: block; margin-block-end: var(--ff-space-2); font-weight: var(--ff-weight-medium);
    font-size: var(--ff-size-meta);
  }
  .patterns {
    margin-block-end: var(--ff-space-2); border: 1px solid var(--ff-border); border-radius: var(--ff-radius);
    overflow: hidden;
  }
  .patterns:empty { display: none; }
  .patterns li {
    display: flex; flex-wrap: wrap; align-items: center; gap: 0 var(--ff-space-2); min-height: 36px;
    padding: 2px 4px 2px var(--ff-space-3); font-size: var(--ff-size-sm); color: var(--ff-text-3);
  }
  .patterns li + li { border-block-start: 1px solid var(--ff-border); }
  code { font-family: var(--ff-font-mono); font-size: var(--ff-size-meta); overflow-wrap: anywhere; min-width: 0; }
  .patterns code { flex: 1 1 120px; color: var(--ff-text); }
  .warning { color: var(--ff-warning); }
  .fault { color: var(--ff-error); }
  form { display: flex; align-items: flex-start; gap: var(--ff-space-2); }
  form ff-input { flex: 1; }
  .near { display: flex; flex-wrap: wrap; align-items: center; gap: 0 6px; margin-block-start: 4px; }
  .near, .note { font-size: var(--ff-size-sm); color: var(--ff-text-2); }
  .trial {
    margin-block-start: var(--ff-space-3); padding: var(--ff-space-2) var(--ff-space-3);
    border-radius: var(--ff-radius); background: var(--ff-sunken);
  }
  .trial[aria-busy='true'] .matches { opacity: 0.6; }
  .summary { font-size: var(--ff-size-meta); }
  .matches {
    display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 230px), 1fr)); gap: 0 var(--ff-space-8);
    margin-block-start: var(--ff-space-1);
  }
  .matches li {
    display: flex; align-items: baseline; gap: var(--ff-space-2); min-height: 24px; min-width: 0;
    font-size: var(--ff-size-sm); color: var(--ff-text-3);
  }
  .matches code { font-size: var(--ff-size-sm); color: var(--ff-text-2); }
  .matches .count { color: var(--ff-text-2); white-space: nowrap; }
`
