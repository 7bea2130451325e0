import { css } from 'lit'

export const detailStyles = css`
  :host {
    display: flex; flex-direction: column; gap: var(--ff-space-4);
    padding: var(--ff-space-3) var(--ff-space-4) 48px;
  }
  .actions { display: flex; flex-wrap: wrap; gap: var(--ff-space-1) var(--ff-space-2); }
  h3 {
    font-size: var(--ff-size-xl); line-height: 26px; font-weight: var(--ff-weight-bold); letter-spacing: -0.01em;
    overflow-wrap: anywhere; white-space: pre-line; max-height: 208px; overflow: auto;
  }
  .facts {
    display: flex; flex-wrap: wrap; align-items: center; gap: var(--ff-space-1) var(--ff-space-3);
    margin-block-start: var(--ff-space-1); color: var(--ff-text-2); font-size: var(--ff-size-meta);
  }
  dl {
    display: grid; grid-template-columns: 64px minmax(0, 1fr); gap: var(--ff-space-1) var(--ff-space-3);
    font-size: var(--ff-size-meta);
  }
  dt { color: var(--ff-text-3); line-height: 24px; }
  dd { margin: 0; min-width: 0; line-height: 24px; overflow-wrap: anywhere; }
  dd { max-height: 120px; overflow: auto; }
  .actor { display: flex; align-items: center; gap: var(--ff-space-2); }
  .kind { color: var(--ff-text-3); }
  .slash { padding: 0 6px; color: var(--ff-text-3); }
  code { font: 12px var(--ff-font-mono); }
  section { display: grid; gap: var(--ff-space-2); min-width: 0; }
  h4 { font-size: var(--ff-size-meta); font-weight: var(--ff-weight-bold); }
  ff-why {
    padding: var(--ff-space-3) var(--ff-space-4); border: 1px solid var(--ff-border);
    border-radius: var(--ff-radius-lg);
  }
  .links a { display: inline-flex; align-items: center; gap: 6px; min-height: 24px; font-size: var(--ff-size-meta); }
`
