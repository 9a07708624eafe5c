import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createPageState, PageContext } from "./state/page-state.ts";
import { Page } from "./view/page.tsx";
import "uplot/dist/uPlot.min.css";
import "./style/theme.css";
import "./style/masthead.css";
import "./style/page.css";
import "./style/events.css";
import "./style/panels.css";

const root = document.querySelector("#root");
if (root === null) throw new Error("the document has no root");
createRoot(root).render(
  <StrictMode>
    <PageContext value={createPageState(new URL(".", document.baseURI).href)}>
      <Page />
    </PageContext>
  </StrictMode>,
);
