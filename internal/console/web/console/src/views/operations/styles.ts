import { css } from 'lit'

/** The styles of sections and tables of operators. */
export const operatorStyles = css`
  section { display: grid; gap: var(--ff-space-3); min-width: 0; }
  h2 { font-size: var(--ff-size); line-height: var(--ff-line); font-weight: var(--ff-weight-bold); }
  .section-head { display: flex; flex-wrap: wrap; align-items: center; gap: var(--ff-space-2); }
  .section-head .note { flex: 1 1 160px; min-width: 0; color: var(--ff-text-3); font-size: var(--ff-size-sm); }
  .card {
    min-width: 0; padding: var(--ff-space-3) var(--ff-space-4); border: 1px solid var(--ff-border);
    border-radius: var(--ff-radius-lg);
  }
  .scroll { overflow-x: auto; border: 1px solid var(--ff-border); border-radius: var(--ff-radius-lg); }
  table { width: 100%; border-collapse: collapse; font-size: var(--ff-size-meta); }
  th, td { padding: 7px var(--ff-space-3); text-align: start; vertical-align: top; }
  th {
    color: var(--ff-text-3); font-size: var(--ff-size-sm); font-weight: var(--ff-weight-medium); white-space: nowrap;
  }
  tbody tr { border-block-start: 1px solid var(--ff-border); }
  .number { text-align: end; white-space: nowrap; }
  .muted { color: var(--ff-text-3); }
  .nowrap { white-space: nowrap; }
  code, .mono { font-family: var(--ff-font-mono); font-size: var(--ff-size-sm); overflow-wrap: anywhere; }
  .row {
    display: grid; gap: 2px var(--ff-space-4); padding: 10px var(--ff-space-4); min-width: 0;
    border-block-start: 1px solid var(--ff-border);
  }
  .rows { border: 1px solid var(--ff-border); border-radius: var(--ff-radius-lg); overflow: hidden; }
  .rows > :first-child { border-block-start: 0; }
  .meta {
    display: flex; flex-wrap: wrap; gap: 0 var(--ff-space-3); color: var(--ff-text-3); font-size: var(--ff-size-sm);
  }
  .meta { align-items: center; }
  .meta a { display: inline-flex; align-items: center; min-height: 24px; }
  .error-text { color: var(--ff-error); font: var(--ff-size-sm) / 18px var(--ff-font-mono); overflow-wrap: anywhere; }
  .more { display: flex; justify-content: center; padding-block: var(--ff-space-3); }
`
