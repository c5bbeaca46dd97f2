// What the measurements need inside a page; the same for both pages.
(() => {
  const rows = () => [...document.querySelectorAll('[data-testid=job-row]')];
  const count = () => Number(document.querySelector('[data-testid=row-count]')?.dataset.count);
  const first = () => rows()[0]?.dataset.jobId;
  const name = (row) => row.querySelector('.row__name')?.textContent ?? '';
  const hook = (it) => document.querySelector(`[data-testid="${it}"]`);

  /** Milliseconds from `act` until `right()`, looked at after every change. */
  const until = (act, right) =>
    new Promise((resolve, reject) => {
      const start = performance.now();
      const done = () => {
        if (!right()) return;
        const took = performance.now() - start;
        observer.disconnect();
        clearTimeout(limit);
        resolve(took);
      };
      const observer = new MutationObserver(done);
      const limit = setTimeout(() => reject(new Error(`never right: ${act}`)), 20_000);
      observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
      act();
      // A property such as `checked` is no mutation.
      const look = () => {
        done();
        if (observer.takeRecords().length || !right()) setTimeout(look, 0);
      };
      queueMicrotask(look);
    });
  const settled = () => new Promise((resolve) => setTimeout(resolve, 250));
  const type = (text) => {
    const field = hook('text-filter');
    field.value = text;
    field.dispatchEvent(new Event('input', { bubbles: true }));
  };

  /** From a click with Shift at the end of the list until the rows there are ticked; the
   * first row was ticked before. */
  const range = async (ticks) => {
    const box = document.querySelector('[data-bench=scroller], .tests__scroller');
    ticks()[0].click();
    await settled();
    box.scrollTop = box.scrollHeight;
    await settled();
    const middle = document.querySelectorAll('[data-testid=job-row]');
    const place = (row) => row.getBoundingClientRect().top;
    const last = [...middle].sort((a, b) => place(b) - place(a))[0];
    const shift = new MouseEvent('click', { bubbles: true, cancelable: true, shiftKey: true });
    const took = await until(
      () => last.querySelector('[data-testid=job-select]').dispatchEvent(shift),
      () => ticks().length > 1 && ticks().every((it) => it.checked),
    );
    box.scrollTop = 0;
    return took;
  };

  window.bench = {
    async acts() {
      const all = count();
      const out = {};
      out.filter = await until(
        () => hook('status-chip-BLOCKER').click(),
        () => count() < all && rows().length > 0 && rows().every((it) => it.dataset.status === 'BLOCKER'),
      );
      await settled();
      out.unfilter = await until(
        () => hook('status-chip-BLOCKER').click(),
        () => count() === all && rows().length > 0,
      );
      await settled();
      const part = name(rows()[0]).slice(0, 4).toLowerCase();
      out.text = await until(
        () => type(part),
        () => count() < all && rows().length > 0,
      );
      await settled();
      out.untext = await until(() => type(''), () => count() === all);
      await settled();
      const sort = document.querySelector('[data-bench=sort], th[data-col=name] button');
      // Once to sort by name, then the turn is measured.
      sort.click();
      await settled();
      const before = first();
      out.sort = await until(() => sort.click(), () => first() !== before && rows().length > 5);
      await settled();
      const ticks = () => [...document.querySelectorAll('[data-testid=job-select]')];
      out.selectAll = await until(
        () => hook('select-all').click(),
        () => ticks().length > 0 && ticks().every((it) => it.checked),
      );
      await settled();
      hook('select-all').click();
      await settled();
      out.rangeSelect = await range(ticks);
      return out;
    },

    /** Frames while scrolling: steadily, then in jumps as with the scrollbar. */
    async scroll() {
      const box = document.querySelector('[data-bench=scroller], .tests__scroller');
      const frames = [];
      let blank = 0;
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      let last = await frame();
      const step = async (top) => {
        box.scrollTop = top;
        const now = await frame();
        frames.push(now - last);
        last = now;
        const view = box.getBoundingClientRect();
        const middle = document.elementFromPoint(view.left + view.width / 2, view.top + view.height / 2);
        if (!middle?.closest('[data-testid=job-row]')) blank++;
      };
      const end = box.scrollHeight - box.clientHeight;
      for (let n = 0; n < 120; n++) await step(n * 90);
      for (let n = 0; n < 60; n++) await step((end * n) / 60);
      box.scrollTop = 0;
      return {
        frames: frames.length,
        over16: frames.filter((it) => it > 17).length,
        over50: frames.filter((it) => it > 50).length,
        worst: Math.max(...frames),
        blank,
      };
    },
  };
  window.longTasks = [];
  new PerformanceObserver((list) => {
    for (const it of list.getEntries()) window.longTasks.push(it.duration);
  }).observe({ type: 'longtask', buffered: true });
})();
