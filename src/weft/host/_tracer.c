/* The trace function of `Tracer` (tracer.py), for interpreters before 3.12: unlike one that ctypes makes of a function
 * in Python, it can be called where the program has recursed to its limit, and then leaves things as they are.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if PY_VERSION_HEX >= 0x030C0000
#error "carriers are interrupted by events since 3.12"
#endif

#define REVISION 1 /* tracer.py has the same; raise both when what one expects of the other changes */

static PyObject *came; /* what is called at a line */

static int
at_line(PyObject *Py_UNUSED(object), PyFrameObject *Py_UNUSED(frame), int Py_UNUSED(what), PyObject *Py_UNUSED(arg))
{
    PyObject *done = PyObject_CallNoArgs(came);
    if (done != NULL)
        Py_DECREF(done);
    else if (PyErr_ExceptionMatches(PyExc_RecursionError))
        PyErr_Clear(); /* so at one of the next lines */
    else
        PyErr_WriteUnraisable(came);
    return 0;
}

PyDoc_STRVAR(use_doc, "use(came)\n--\n\nHave this function called at lines from now on, in place of the one before.");

static PyObject *
use(PyObject *Py_UNUSED(module), PyObject *function)
{
    Py_XSETREF(came, Py_NewRef(function));
    Py_RETURN_NONE;
}

PyDoc_STRVAR(here_doc, "here()\n--\n\nWhat stands for the calling kernel thread.");

static PyObject *
here(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none))
{
    return PyLong_FromVoidPtr(PyThreadState_Get());
}

PyDoc_STRVAR(put_doc, "put(thread, on, none)\n--\n\nHave lines there traced if `on` is true, or no more.");

static PyObject *
put(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 3 || (args[1] != Py_None && came == NULL)) {
        PyErr_SetString(PyExc_TypeError, "put takes a thread, whether to trace there once there is a function, and None");
        return NULL;
    }
    PyThreadState *thread = PyLong_AsVoidPtr(args[0]);
    if (thread == NULL || _PyEval_SetTrace(thread, args[1] == Py_None ? NULL : at_line, NULL) < 0)
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_ValueError, "no thread");
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"use", use, METH_O, use_doc},
    {"here", here, METH_NOARGS, here_doc},
    {"put", (PyCFunction)(void (*)(void))put, METH_FASTCALL, put_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, .m_name = "weft.host._tracer", .m_doc = "A trace function for other kernel threads.",
    .m_size = -1, .m_methods = functions,
};

PyMODINIT_FUNC
PyInit__tracer(void)
{
    PyObject *made = PyModule_Create(&module);
    if (made != NULL && PyModule_AddIntConstant(made, "REVISION", REVISION) < 0)
        Py_CLEAR(made);
    return made;
}
