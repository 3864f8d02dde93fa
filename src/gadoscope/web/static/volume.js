// A volume by NiiVue: three planes and a rendering, of the NIfTI file that the server hands out.
"use strict"
const canvas = document.getElementById("volume")
const said = document.getElementById("volume-said")
const shown = new niivue.Niivue({ backColor: [0, 0, 0, 1], isRadiologicalConvention: true, show3Dcrosshair: true, logLevel: "warn" })
shown.attachToCanvas(canvas)
  .then(() => shown.loadVolumes([{ url: canvas.dataset.volume, name: "volume.nii.gz" }]))
  .then(() => {
    shown.setSliceType(shown.sliceTypeMultiplanar)
    said.textContent = "Drag with the right button to set the window; the wheel scrolls; drag the rendering to turn it."
    canvas.dataset.loaded = "yes"
  })
  .catch(error => { said.textContent = `The volume cannot be shown: ${error.message || error}. Its slices are on the page of the series.` })
