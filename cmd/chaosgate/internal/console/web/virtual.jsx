import { h } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

// Virtual shows a long list of which only the rows in sight are there. All rows are of one height. It begins at the top and stays where it is while rows
// are put in above, unless it stands at the top.
export function Virtual({ items, height, row, label, id, keyOf, active = -1, empty }) {
  const box = useRef(null);
  const [view, setView] = useState({ top: 0, tall: 600 });
  const measure = () => {
    const el = box.current;
    if (el && (el.scrollTop !== view.top || el.clientHeight !== view.tall)) setView({ top: el.scrollTop, tall: el.clientHeight });
  };
  useLayoutEffect(measure);
  useEffect(() => {
    const observer = new ResizeObserver(measure);
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const el = box.current;
    if (active < 0 || !el) return;
    if (active * height < el.scrollTop) el.scrollTop = active * height;
    else if ((active + 1) * height > el.scrollTop + el.clientHeight) el.scrollTop = (active + 1) * height - el.clientHeight;
  }, [active]);
  const from = Math.max(0, Math.floor(view.top / height) - 4);
  const till = Math.min(items.length, Math.ceil((view.top + view.tall) / height) + 4);
  const rows = [];
  for (let i = from; i < till; i++) {
    rows.push(
      <div class="v-row" role="listitem" aria-setsize={items.length} aria-posinset={i + 1} key={keyOf ? keyOf(items[i]) : i} style={{ height: `${height}px`, transform: `translateY(${i * height}px)` }}>
        {row(items[i], i)}
      </div>,
    );
  }
  return (
    <div class="v-box" id={id} ref={box} onScroll={measure} tabIndex={0} role={items.length ? "list" : "group"} aria-label={label}>
      {items.length ? <div class="v-all" role="presentation" style={{ height: `${items.length * height}px` }}>{rows}</div> : empty}
    </div>
  );
}
