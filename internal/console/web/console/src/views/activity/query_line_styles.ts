import { css } from 'lit'

export const queryLineStyles = css`
  :host { display: block; flex: 1; min-width: 0; }
  .box {
    display: flex; flex-wrap: wrap; align-items: center; gap: 4px 6px; min-height: var(--ff-control);
    padding: 1px 4px 1px 10px; border: 1px solid var(--ff-border-control); border-radius: var(--ff-radius);
    background: var(--ff-surface); cursor: text;
  }
  .box:focus-within { outline: 2px solid var(--ff-accent); outline-offset: -1px; border-color: transparent; }
  .faulty { border-color: var(--ff-error); }
  svg { color: var(--ff-text-3); }
  ff-chip { max-width: 300px; }
  input {
    flex: 1 1 120px; min-width: 80px; height: 28px; padding: 0 2px; border: 0; background: none;
    font-size: var(--ff-size-meta);
  }
  input:focus-visible { outline: none; }
  input::placeholder { color: var(--ff-text-3); opacity: 1; }
  @media (pointer: coarse) { input { font-size: 16px; height: 36px; } }
  .list {
    position: fixed; inset: auto; margin: 0; padding: 4px; width: min(560px, calc(100vw - 16px)); overflow: auto;
    border: 1px solid var(--ff-border); border-radius: var(--ff-radius-lg); background: var(--ff-raised);
    color: var(--ff-text); box-shadow: var(--ff-shadow);
  }
  .option {
    display: flex; align-items: baseline; gap: var(--ff-space-3); min-height: 30px; padding: 5px 8px;
    border-radius: var(--ff-radius-sm); font-size: var(--ff-size-meta); cursor: pointer;
  }
  @media (pointer: coarse) { .option { min-height: 44px; align-items: center; } }
  .option:hover { background: var(--ff-hover); }
  .option.active { background: var(--ff-active); outline: 2px solid var(--ff-accent); outline-offset: -2px; }
  .label { flex: none; max-width: 60%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .field { color: var(--ff-text-3); }
  .hint {
    flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; text-align: end;
    color: var(--ff-text-3); font-size: var(--ff-size-sm);
  }
  .faults li { padding-block-start: 4px; color: var(--ff-error); font-size: var(--ff-size-sm); }
  code { font-family: var(--ff-font-mono); }
`
