import { css } from 'lit'

export const preferencesStyles = css`
  :host { display: block; min-width: 0; container-type: inline-size; }
  section { padding-block: var(--ff-space-6); }
  section:first-of-type { padding-block-start: 0; }
  section + section { border-block-start: 1px solid var(--ff-border); }
  .head { display: flex; flex-wrap: wrap; align-items: center; gap: 0 var(--ff-space-2); min-height: 28px; }
  h2 { font-size: var(--ff-size); font-weight: var(--ff-weight-bold); line-height: var(--ff-line); }
  .origin { font-size: var(--ff-size-sm); color: var(--ff-text-3); }
  .head ff-button { margin-inline-start: auto; }
  .hint {
    max-width: 72ch; margin-block-end: var(--ff-space-3); font-size: var(--ff-size-meta); color: var(--ff-text-2);
  }
  .modes { display: grid; grid-template-columns: repeat(3, 1fr); gap: var(--ff-space-2); }
  .mode { position: relative; display: flex; }
  .mode input {
    position: absolute; inset-block-start: 14px; inset-inline-start: 12px; margin: 0; width: 16px; height: 16px;
    accent-color: var(--ff-accent);
  }
  .mode label {
    flex: 1; padding: var(--ff-space-3) var(--ff-space-3) var(--ff-space-3) 38px; cursor: pointer;
    border: 1px solid var(--ff-border-strong); border-radius: var(--ff-radius); background: var(--ff-surface);
  }
  .mode label:hover { background: var(--ff-hover); }
  .mode input:checked + label { border-color: var(--ff-accent); background: var(--ff-accent-soft); }
  .mode input:focus-visible { outline: none; }
  .mode input:focus-visible + label { outline: 2px solid var(--ff-accent); outline-offset: 2px; }
  .mode b { display: block; font-weight: var(--ff-weight-medium); }
  .mode span { display: block; font-size: var(--ff-size-sm); line-height: var(--ff-line-sm); color: var(--ff-text-2); }
  .patterns { margin-block-start: var(--ff-space-4); }
  .notice {
    display: flex; flex-wrap: wrap; align-items: center; gap: var(--ff-space-2); margin-block: var(--ff-space-3);
    padding: var(--ff-space-2) var(--ff-space-3); border-radius: var(--ff-radius); font-size: var(--ff-size-meta);
    background: var(--ff-warning-soft); color: var(--ff-warning);
  }
  .notice ff-button { margin-inline-start: auto; }
  .arrives { margin-block-start: var(--ff-space-2); font-size: var(--ff-size-sm); color: var(--ff-text-2); }
  .arrives ul { list-style: disc; padding-inline-start: var(--ff-space-4); }
  .done, .problem {
    position: sticky; inset-block-end: var(--ff-space-3); z-index: 2; display: flex; align-items: center;
    gap: var(--ff-space-2); margin-block-start: var(--ff-space-3); padding: 6px 6px 6px var(--ff-space-3);
    border: 1px solid var(--ff-border); border-radius: var(--ff-radius); font-size: var(--ff-size-meta);
    background: var(--ff-raised); box-shadow: var(--ff-shadow);
  }
  .done span { flex: 1; }
  .done:empty { display: none; }
  .problem { color: var(--ff-error); padding-block: var(--ff-space-2); }
  @container (max-width: 560px) { .modes { grid-template-columns: 1fr; } }
`
