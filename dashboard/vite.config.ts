import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The service that `npm run page:dev` shows; it takes requests of its own pages alone, so they are made to look so. */
const SERVICE = "http://127.0.0.1:4000";
const proxied = { target: SERVICE, changeOrigin: true, ws: true, headers: { origin: SERVICE } };

export default defineConfig({
  // Every path is relative, so that a proxy may serve the whole service below a folder.
  base: "./",
  plugins: [react()],
  build: {
    target: "es2023",
    // A `data:` URL is what the Content-Security-Policy forbids.
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
  },
  server: { proxy: { "/graphql": proxied, "/session": proxied, "/mandrill": proxied } },
});
